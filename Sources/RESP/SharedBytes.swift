/// Bytes that no longer change, for several readers without copies of their own: a large command that waits for the
/// sockets of both stores. Confined to one thread, as its readers are.
public final class SharedBytes {
  private var buffer: ByteBuffer
  private let spares: SpareBuffers?

  /// Takes over the memory of `buffer` with its bytes. With the last reference the memory is returned to `spares`, or
  /// is freed if there are none.
  public init(_ buffer: consuming ByteBuffer, spares: SpareBuffers? = nil) {
    self.buffer = buffer
    self.spares = spares
  }

  deinit {
    var memory = ByteBuffer()
    swap(&memory, &buffer)
    spares?.give(memory)
  }

  /// The number of bytes.
  public var count: Int { buffer.count }

  /// Lends the bytes to `body`.
  public func withSpan<Result: ~Copyable>(_ body: (Span<UInt8>) -> Result) -> Result {
    buffer.withSpan(body)
  }
}
