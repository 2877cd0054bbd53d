internal import Glibc
internal import RESP

/// The commands that the operating system has not taken yet, in order: a large command that isn't copied, if there is
/// one, and a buffer with those after it.
struct ContextOutput: ~Copyable {
  /// A buffer of this size is written before the turn ends: a server reads 16 KiB at a time, and executes the commands
  /// in them while the rest is gathered here. A record of TLS has as much at most.
  private static let earlyWriteBytes = 16 * 1024
  /// A command of this size is written at once if nothing waits before it, instead of being copied first.
  private static let directWriteBytes = 64 * 1024

  /// Encrypts the output; nil for a plain connection.
  private let tls: ContextTLS?
  /// Never lent to code that could re-enter this type.
  private var buffer = ByteBuffer()
  private var large: SharedBytes?
  /// The bytes of the large command that are still to be written.
  private var largeLeft = 0
  /// Whether the operating system did not take all that it was offered last; it reports when it takes more.
  private(set) var isSocketFull = false

  /// Makes an empty output, which is encrypted if `tls` is given.
  init(tls: ContextTLS? = nil) {
    self.tls = tls
  }

  /// The bytes that the operating system has not taken.
  @inline(__always)
  var count: Int { buffer.count + largeLeft }

  /// The bytes in the buffer.
  @inline(__always)
  var bufferedBytes: Int { buffer.count }

  /// Appends commands or a part of them, and offers them to the operating system if there are many. Errors of the
  /// socket show in the next ``flush(to:)``.
  ///
  /// - Parameters:
  ///   - bytes: is copied unless it is written, or large and has an owner and nothing before it.
  ///   - owner: holds `bytes`, and nothing else; retained while it is not copied.
  ///   - fd: the socket.
  @inline(__always)
  mutating func append(_ bytes: Span<UInt8>, of owner: SharedBytes?, to fd: Int32) {
    if bytes.count >= Self.directWriteBytes {
      appendLarge(bytes, of: owner, to: fd)
    } else if buffer.count + bytes.count >= Self.earlyWriteBytes, !isSocketFull {
      appendLast(bytes, to: fd)
    } else {
      buffer.append(bytes)
    }
  }

  /// Appends the commands with which the buffer has enough to be written, and offers it to the operating system.
  ///
  /// With TLS, what would not fit the record stays for the next one: a server reads records one by one, and would wait
  /// for the rest of a command, or answer a single one, as it does for hundreds.
  private mutating func appendLast(_ bytes: Span<UInt8>, to fd: Int32) {
    if tls != nil, buffer.count + bytes.count > Self.earlyWriteBytes { flush(to: fd) }
    buffer.append(bytes)
    if buffer.count >= Self.earlyWriteBytes, !isSocketFull { flush(to: fd) }
  }

  private mutating func appendLarge(_ bytes: Span<UInt8>, of owner: SharedBytes?, to fd: Int32) {
    if !isSocketFull { flush(to: fd) }
    guard count == 0 else { return buffer.append(bytes) }
    let taken = max(0, send(bytes, to: fd))
    isSocketFull = taken < bytes.count
    if let owner, isSocketFull {
      precondition(owner.count == bytes.count, "a command's owner holds something else")
      large = owner
      largeLeft = owner.count - taken
    } else {
      buffer.append(bytes.extracting(taken...))
    }
  }

  /// Offers all output to the operating system; returns the bytes that it took last, or minus the error number.
  @discardableResult
  mutating func flush(to fd: Int32) -> Int {
    var count = 0
    if largeLeft > 0, let large {
      count = large.withSpan { send($0.extracting(last: largeLeft), to: fd) }
      largeLeft -= max(0, count)
      if largeLeft == 0 { self.large = nil }
    }
    if largeLeft == 0, !buffer.isEmpty {
      count = buffer.withSpan { send($0, to: fd) }
      if count > 0 { buffer.removeFirst(count) }
    }
    isSocketFull = self.count > 0
    return count
  }

  /// Releases the memory of an empty buffer beyond `bytes`.
  mutating func trim(to bytes: Int) {
    if buffer.isEmpty { buffer.removeAll(keepingCapacityUpTo: bytes) }
  }

  /// Returns the number of bytes that the operating system took, or minus the error number.
  private func send(_ bytes: Span<UInt8>, to fd: Int32) -> Int {
    if let tls { return tls.send(bytes, to: fd) }
    return bytes.withUnsafeBytes { bytes in
      let count = Glibc.send(fd, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
      return count < 0 ? -Int(errno) : count
    }
  }
}

/// Decides for how many turns of the loop the output waits for more commands, so that the store receives them together
/// and wakes up once for them.
struct OutputGathering {
  /// The most turns that the output waits. While several commands are in flight, others are likely to follow; the
  /// output is written earlier when a turn has brought no more.
  private static let mostTurns = 2

  /// The turns that the output has waited, and its length at the end of the last of them.
  private var turns = 0
  private var gatheredBytes = 0

  /// Whether the output should wait for another turn. A single command doesn't wait.
  ///
  /// - Parameters:
  ///   - bufferedBytes: the length of the output now.
  ///   - inFlightCount: the commands without a reply.
  mutating func turnDidEnd(bufferedBytes: Int, inFlightCount: @autoclosure () -> Int) -> Bool {
    guard turns < Self.mostTurns, bufferedBytes > gatheredBytes, inFlightCount() > 1 else {
      turns = 0
      gatheredBytes = 0
      return false
    }
    turns += 1
    gatheredBytes = bufferedBytes
    return true
  }
}
