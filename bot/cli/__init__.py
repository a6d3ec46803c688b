"""The command line `yousaid`: one module per topic; every error is one line."""
