internal import CoreMetrics
internal import EventLoop
internal import Hiredis
internal import RESP

/// Waits for keys to be copied. Loop-confined.
protocol KeyCopyWaiter: AnyObject {
  /// One of the keys was copied, or could not be, which is counted and logged already.
  func keyCopyDidFinish()
}

/// Copies one key as it is on one store to the other, with DUMP and RESTORE. Loop-confined.
///
/// DUMP takes its place among the commands of the ordinary connection. Writes that the store answered before it are in
/// the dump, and what was sent to the other store for them is overwritten; writes answered after it are sent after the
/// RESTORE. So the copy is in order without holding anything back.
final class KeyCopy: ReplyReceiver {
  private static let dumpToken = 0
  private static let expiryToken = 1
  private static let restoreToken = 2
  private static let deleteToken = 3

  let key: [UInt8]
  private unowned let multiStore: MultiStore
  private let source: Store
  private let target: Store
  private var waiters: [any KeyCopyWaiter] = []
  private var dump: [UInt8]?
  private var failure: CopyFailure?
  /// Whether the source was asked for an absolute time; what it is known to understand may change until it answers.
  private var asksForAbsoluteTime = false

  init(_ key: [UInt8], from source: Store, to target: Store, of multiStore: MultiStore) {
    self.key = key
    self.source = source
    self.target = target
    self.multiStore = multiStore
  }

  func add(_ waiter: any KeyCopyWaiter) {
    waiters.append(waiter)
  }

  func begin() {
    send("DUMP", to: source, token: Self.dumpToken)
    asksForAbsoluteTime = source.hasExpiryTime
    send(asksForAbsoluteTime ? "PEXPIRETIME" : "PTTL", to: source, token: Self.expiryToken)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.dumpToken:
      // From here on the store's replies are newer than the dump.
      multiStore.keyWasDumped(self)
      if reply.kind == .string { dump = reply.bytes.array }
      if reply.kind == .error { failure = CopyFailure(reply) }
    case Self.expiryToken:
      if failure == nil, reply.kind == .error { failure = CopyFailure(reply) }
      if failure == nil { restore(expiry: reply.integer) } else { finish() }
    case Self.restoreToken:
      guard reply.kind == .error else { return finish() }
      // An older server that can't read a newer one's dump: whatever was there before is not the truth any more.
      failure = CopyFailure(reply)
      send("DEL", to: target, token: Self.deleteToken)
    default: finish()
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if token == Self.dumpToken { multiStore.keyWasDumped(self) }
    if self.failure == nil { self.failure = CopyFailure(failure) }
    if token != Self.dumpToken { finish() }
  }

  private func restore(expiry: Int) {
    guard let dump else { return send("DEL", to: target, token: Self.deleteToken) }
    let key = key
    var deadline = max(0, expiry)
    if deadline > 0, !asksForAbsoluteTime { deadline += Int(multiStore.loop.wallClockMilliseconds) }
    var command = ByteBuffer(minimumCapacity: dump.count + key.count + 128)
    command.appendArrayHeader(6)
    command.appendBulk("RESTORE")
    command.appendBulk(key.span)
    command.appendBulk(decimal: deadline)
    command.appendBulk(dump.span)
    command.appendBulk("REPLACE")
    command.appendBulk("ABSTTL")
    target.ordinary.send(command.span, to: self, token: Self.restoreToken)
    self.dump = nil
  }

  private func send(_ name: String, to store: Store, token: Int) {
    let key = key
    var command = ByteBuffer()
    command.appendArrayHeader(2)
    command.appendBulk(name)
    command.appendBulk(key.span)
    store.ordinary.send(command.span, to: self, token: token)
  }

  private func finish() {
    let key = key
    multiStore.rechecks?.noteChange(of: key.span)
    if let failure {
      target.stale.insert(key.span)
      multiStore.keyCopyFailed(on: target.role, failure)
    } else {
      target.stale.remove(key.span)
      multiStore.metrics.keyCopies.increment()
    }
    let waiters = waiters
    self.waiters = []
    for waiter in waiters { waiter.keyCopyDidFinish() }
  }
}
