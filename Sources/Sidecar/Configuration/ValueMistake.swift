/// The reason why a text is not a value of its key. It does not repeat the text, which may hold a password; it names
/// variables without their values.
struct ValueMistake: Error, Equatable {
  /// The reason as a part of a sentence.
  let message: String

  init(_ message: String) {
    self.message = message
  }
}
