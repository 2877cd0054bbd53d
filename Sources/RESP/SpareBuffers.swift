internal import BasicContainers

/// The memory of executed large commands, for the next ones: requesting it from the operating system again, page by
/// page, costs more than a copy would. Confined to one thread.
public final class SpareBuffers {
  /// The most bytes of memory that are kept.
  private static let limit = 16 << 20
  /// The largest capacity of a kept buffer that is used for a command, as a multiple of the memory that is needed.
  private static let largestSurplus = 4

  private var buffers = UniqueArray<ByteBuffer>()
  private var keptBytes = 0
  private var wasUsed = false

  /// Creates a set without buffers.
  public init() {}

  /// Keeps the memory of `buffer`, if there is not too much already.
  public func give(_ buffer: consuming ByteBuffer) {
    guard keptBytes + buffer.capacity <= Self.limit else { return }
    buffer.removeAll()
    keptBytes += buffer.capacity
    buffers.append(buffer)
  }

  /// Makes room for `count` more bytes in `buffer`, in memory that is kept here if it fits.
  public func reserve(_ count: Int, in buffer: inout ByteBuffer) {
    let needed = buffer.count + count
    guard buffer.capacity < needed else { return buffer.reserve(count) }
    let fitting = needed...needed * Self.largestSurplus
    for index in buffers.indices where fitting.contains(buffers[index].capacity) {
      wasUsed = true
      var spare = buffers.remove(at: index)
      keptBytes -= spare.capacity
      spare.append(buffer.span)
      swap(&spare, &buffer)
      return
    }
    buffer.reserve(count)
  }

  /// Releases the memory if it was not used since the last call.
  public func trim() {
    if !wasUsed {
      buffers = UniqueArray()
      keptBytes = 0
    }
    wasUsed = false
  }
}
