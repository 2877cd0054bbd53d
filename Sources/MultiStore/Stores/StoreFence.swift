internal import Hiredis

/// Waits for the last replies of several connections. Each of them retains it until then.
final class StoreFence: ReplyReceiver {
  private var left: Int
  private let then: () -> Void

  init(_ count: Int, then: @escaping () -> Void) {
    left = count
    self.then = then
  }

  func receive(_ reply: borrowing Reply, token: Int) { passed() }

  func receive(failure: ConnectionFailure, token: Int) { passed() }

  private func passed() {
    left -= 1
    if left == 0 { then() }
  }
}
