"""The same conversation on a web page: server-rendered, works without JavaScript, keeps no transcript."""
