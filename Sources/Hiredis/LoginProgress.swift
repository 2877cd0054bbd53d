/// The login of a connection, where it is in a file or printed by a program.
struct LoginProgress {
  /// The wait for the program that prints the password, and what it has printed for this attempt.
  var wait: LoginCommand.Wait?
  var printedPassword: String?
  /// Whether AUTH is in flight, or about to be, on the connection that is ready.
  var isRenewing = false
  /// The files of the login with which the connection was logged in last, and of the last one that was refused then.
  var usedFiles: LoginFileIdentities?
  var refusedFiles: LoginFileIdentities?
}
