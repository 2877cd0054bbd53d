// Hiredis
