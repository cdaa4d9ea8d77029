package partition

import _ "embed"

// precheckSQL lists what the swap would leave behind; %s is the table's name as
// a literal.
//
//go:embed queries/precheck.sql
var precheckSQL string
