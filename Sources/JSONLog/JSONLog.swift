// JSONLog
