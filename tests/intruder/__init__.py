"""A motivated intruder (FAIL-4, trust M1 to M3): reads everything a school keeps and guesses whose sheet is whose.

pages.py and wal.py read what SQLite leaves on disk, evidence.py turns that into orders, linking.py guesses,
schools.py simulates schools, naive.py the layouts that are known to tell. Attacker's code: it shares nothing with
what it attacks.
"""
