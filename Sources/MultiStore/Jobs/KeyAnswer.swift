/// A store's answer to a question about a key.
enum KeyAnswer {
  case number(Int)
  /// The store refused the question, or did not answer.
  case failed(CopyFailure)

  /// The number; nil if there is none.
  var number: Int? { if case .number(let number) = self { number } else { nil } }
}
