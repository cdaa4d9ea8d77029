-- ends a relabelling
DELETE FROM relabels
