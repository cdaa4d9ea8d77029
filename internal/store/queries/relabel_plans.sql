-- a better algorithm gives a query another fingerprint
UPDATE plans SET fingerprint = $2 WHERE fingerprint = $1
