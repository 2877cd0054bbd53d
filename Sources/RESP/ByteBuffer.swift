public import BasicContainers

/// A growable queue of bytes: appended at the end, consumed at the front, its memory kept for reuse.
///
/// It can't be copied, so that the hot path never pays for copy-on-write or for the check whether one is due. A buffer
/// has one owner, on one thread.
public struct ByteBuffer: ~Copyable {
  @usableFromInline
  var storage: UniqueArray<UInt8>
  /// The position of the first byte that was not consumed yet.
  @usableFromInline
  var head = 0

  /// Creates an empty buffer. `minimumCapacity` bytes are reserved at once; 0 allocates nothing.
  public init(minimumCapacity: Int = 0) {
    storage = minimumCapacity > 0 ? UniqueArray(minimumCapacity: minimumCapacity) : UniqueArray()
  }

  /// The number of bytes that were appended and not consumed yet.
  @inlinable
  public var count: Int { storage.count - head }

  /// Whether there is nothing to consume.
  public var isEmpty: Bool { storage.count == head }

  /// The capacity of the buffer's memory, in bytes.
  public var capacity: Int { storage.capacity }

  /// The bytes that were not consumed yet.
  @inlinable
  public var span: Span<UInt8> {
    @_lifetime(borrow self) @inline(__always)
    get { storage.span.extracting(head..<storage.count) }
  }

  /// Returns the byte at `index`, where 0 is the first one that was not consumed yet.
  @inline(__always)
  func byte(at index: Int) -> UInt8 { storage[head + index] }

  /// Lends the bytes that were not consumed yet to `body`: for a buffer that is a class's property, whose span can't be
  /// named for longer than one access.
  @inlinable @inline(__always)
  public borrowing func withSpan<Result: ~Copyable>(_ body: (Span<UInt8>) -> Result) -> Result {
    body(span)
  }

  /// Lends the memory of the bytes that were not consumed yet to `body`, to be changed in place.
  @inline(__always)
  mutating func withMutableSpan<Result>(_ body: (inout MutableSpan<UInt8>) -> Result) -> Result {
    let head = head
    var whole = storage.mutableSpan
    var bytes = whole._mutatingExtracting(head...)
    return body(&bytes)
  }

  /// A copy of the bytes that were not consumed yet.
  public var bytes: [UInt8] { span.array }

  /// Reserves room for `count` more bytes at once, where it is known that they will come.
  public mutating func reserve(_ count: Int) {
    makeRoom(count)
    storage.reserveCapacity(storage.count + count)
  }

  /// Reclaims the room of consumed bytes before the memory grows. Moving the smaller half keeps the cost of consuming
  /// linear, and a buffer that is only consumed never moves. Not called for single bytes and literals: queues are
  /// filled by spans.
  @inline(__always)
  private mutating func makeRoom(_ count: Int) {
    if head > storage.count / 2, storage.freeCapacity < count {
      storage.removeSubrange(..<head)
      head = 0
    }
  }

  /// Appends one byte.
  public mutating func append(_ byte: UInt8) {
    storage.append(byte)
  }

  /// Appends all of `span`.
  public mutating func append(_ span: Span<UInt8>) {
    makeRoom(span.count)
    storage.append(copying: span)
  }

  /// Appends up to `count` bytes that `body` writes in place.
  @inline(__always)
  public mutating func append(upTo count: Int, _ body: (inout OutputSpan<UInt8>) -> Void) {
    makeRoom(count)
    storage.append(addingCount: count, initializingWith: body)
  }

  /// Appends a literal's UTF-8.
  public mutating func append(_ literal: StaticString) {
    // A literal's bytes are in the binary and never move.
    unsafe storage.append(copying: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  /// Appends a string's UTF-8.
  public mutating func append(utf8Of string: String) {
    storage.append(copying: string.utf8)
  }

  /// Appends `integer` in decimal.
  public mutating func append(decimal integer: Int) {
    append(upTo: Decimal.longest) { $0.append(decimal: integer) }
  }

  /// Replaces the bytes at `range`, where 0 is the first byte that was not consumed yet.
  mutating func replace(_ range: Range<Int>, with bytes: Span<UInt8>) {
    storage.replace(removing: head + range.lowerBound..<head + range.upperBound, copying: bytes)
  }

  /// Makes room for `count` bytes before the one at `index`, where 0 is the first byte that was not consumed yet.
  mutating func makeGap(of count: Int, at index: Int) {
    guard count > 0 else { return }
    storage.insert(addingCount: count, at: head + index) { $0.append(repeating: 0, count: count) }
  }

  /// Consumes `count` bytes from the front.
  ///
  /// - Precondition: The buffer has at least `count` bytes.
  public mutating func removeFirst(_ count: Int) {
    precondition(count <= self.count, "more bytes consumed than there are")
    head += count
    if head == storage.count {
      storage.removeAll(keepingCapacity: true)
      head = 0
    }
  }

  /// Detaches the first `count` bytes with their memory. The bytes after them are copied.
  ///
  /// - Precondition: The buffer has at least `count` bytes.
  public mutating func detachFirst(_ count: Int) -> ByteBuffer {
    precondition(count <= self.count, "more bytes detached than there are")
    var rest = ByteBuffer(minimumCapacity: self.count - count)
    rest.append(span.extracting(count...))
    swap(&self, &rest)
    rest.truncate(to: count)
    return rest
  }

  /// Drops the last bytes, so that `count` are left.
  ///
  /// - Precondition: The buffer has at least `count` bytes.
  public mutating func truncate(to count: Int) {
    precondition(count <= self.count, "truncated to more bytes than there are")
    storage.removeLast(self.count - count)
  }

  /// Forgets all bytes. The memory is kept when it is at most `limit` bytes, so that one large value does not stay
  /// allocated for as long as its owner lives.
  public mutating func removeAll(keepingCapacityUpTo limit: Int = .max) {
    head = 0
    if storage.capacity > limit {
      storage = UniqueArray()
    } else {
      storage.removeAll(keepingCapacity: true)
    }
  }
}
