package main

import _ "embed"

//go:embed queries/hypopg_installed.sql
var hypopgInstalledSQL string
