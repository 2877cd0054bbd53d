/// Bytes that nobody changes any more, for several to read without a copy of their own: a large command that waits for
/// the sockets of both stores. Confined to one thread, as its readers are.
public final class SharedBytes {
  private var buffer: ByteBuffer
  private let spares: SpareBuffers

  /// Takes over the memory of `buffer`, and what it holds. With the last reference the memory goes to `spares`.
  public init(_ buffer: consuming ByteBuffer, spares: SpareBuffers) {
    self.buffer = buffer
    self.spares = spares
  }

  deinit {
    var memory = ByteBuffer()
    swap(&memory, &buffer)
    spares.give(memory)
  }

  /// How many bytes there are.
  public var count: Int { buffer.count }

  /// Lends the bytes to `body`.
  public func withSpan<Result: ~Copyable>(_ body: (Span<UInt8>) -> Result) -> Result {
    buffer.withSpan(body)
  }
}
