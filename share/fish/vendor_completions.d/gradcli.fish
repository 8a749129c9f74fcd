# fish loads this at the first press of the key: the script comes from gradcli itself, as installed.
gradcli completion fish | source
