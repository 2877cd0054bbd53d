/// A growable queue of bytes: appended at the end, consumed at the front, its memory kept for reuse.
///
/// It can't be copied, so that no copy-on-write ever happens behind the hot path's back. A buffer belongs to whoever
/// owns it, on one thread.
public struct ByteBuffer: ~Copyable {
  private var storage: [UInt8]
  /// Where the bytes that were not consumed yet begin.
  private var head = 0

  /// An empty buffer. `minimumCapacity` bytes are reserved at once; 0 allocates nothing.
  public init(minimumCapacity: Int = 0) {
    storage = []
    if minimumCapacity > 0 { storage.reserveCapacity(minimumCapacity) }
  }

  /// Bytes that were appended and not consumed yet.
  public var count: Int { storage.count - head }

  /// True when there is nothing to consume.
  public var isEmpty: Bool { storage.count == head }

  /// Bytes of memory that the buffer holds on to.
  public var capacity: Int { storage.capacity }

  /// The bytes that were not consumed yet.
  public var span: Span<UInt8> {
    @_lifetime(borrow self)
    get { storage.span.extracting(head..<storage.count) }
  }

  /// Lends the bytes that were not consumed yet to `body`: for a buffer that is a class's property, whose span can't be
  /// named for longer than one access.
  @inline(__always)
  public borrowing func withSpan<Result: ~Copyable>(_ body: (Span<UInt8>) -> Result) -> Result {
    body(span)
  }

  /// A copy of the bytes that were not consumed yet.
  public var bytes: [UInt8] { Array(storage[head...]) }

  /// Appends one byte.
  @inline(__always)
  public mutating func append(_ byte: UInt8) {
    storage.append(byte)
  }

  /// Appends all of `span`.
  @inline(__always)
  public mutating func append(_ span: Span<UInt8>) {
    // The standard library copies from a raw buffer with one memcpy; the span keeps it alive meanwhile.
    unsafe span.withUnsafeBufferPointer { unsafe storage.append(contentsOf: $0) }
  }

  /// Appends all of `bytes`.
  public mutating func append(contentsOf bytes: [UInt8]) {
    storage.append(contentsOf: bytes)
  }

  /// Appends a literal's UTF-8.
  @inline(__always)
  public mutating func append(_ literal: StaticString) {
    // A literal's bytes are in the binary and never move.
    unsafe storage.append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  /// Appends a string's UTF-8.
  public mutating func append(_ string: String) {
    storage.append(contentsOf: string.utf8)
  }

  /// Appends `integer` in decimal.
  public mutating func append(decimal integer: Int) {
    if integer >= 0, integer < 10 {
      storage.append(UInt8(truncatingIfNeeded: integer) &+ UInt8(ascii: "0"))
      return
    }
    var magnitude = integer.magnitude
    if integer < 0 { storage.append(UInt8(ascii: "-")) }
    let first = storage.count
    while magnitude > 0 {
      let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
      storage.append(UInt8(truncatingIfNeeded: remainder) &+ UInt8(ascii: "0"))
      magnitude = quotient
    }
    var low = first
    var high = storage.count - 1
    while low < high {
      storage.swapAt(low, high)
      low += 1
      high -= 1
    }
  }

  /// Consumes `count` bytes from the front.
  ///
  /// - Precondition: `count` bytes are there.
  public mutating func removeFirst(_ count: Int) {
    precondition(count <= self.count, "more bytes consumed than there are")
    head += count
    if head == storage.count {
      storage.removeAll(keepingCapacity: true)
      head = 0
    } else if head > storage.count / 2 {
      // Moving the smaller half keeps the cost of consuming linear.
      storage.removeSubrange(0..<head)
      head = 0
    }
  }

  /// Drops the last bytes, so that `count` are left.
  ///
  /// - Precondition: at least `count` bytes are there.
  public mutating func truncate(to count: Int) {
    precondition(count <= self.count, "truncated to more bytes than there are")
    storage.removeLast(self.count - count)
  }

  /// Forgets all bytes. The memory is kept when it is at most `limit` bytes, so that one large value does not stay
  /// allocated for as long as its owner lives.
  public mutating func removeAll(keepingCapacityUpTo limit: Int = .max) {
    head = 0
    if storage.capacity > limit {
      storage = []
    } else {
      storage.removeAll(keepingCapacity: true)
    }
  }
}
