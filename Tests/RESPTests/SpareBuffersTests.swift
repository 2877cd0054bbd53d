import RESP
import Testing

@Suite("Memory of large commands")
struct SpareBuffersTests {
  private static func buffer(_ capacity: Int) -> ByteBuffer {
    var buffer = ByteBuffer(minimumCapacity: capacity)
    buffer.append(1)
    return buffer
  }

  @Test("What was shared is reused once nobody holds it any more")
  func reuse() {
    let spares = SpareBuffers()
    var shared: SharedBytes? = SharedBytes(Self.buffer(1_000_000), spares: spares)
    var early = Self.buffer(10)
    spares.reserve(1000, in: &early)
    #expect(early.capacity < 1_000_000)
    #expect(shared?.withSpan { $0.count } == 1)
    shared = nil
    // It is too small for this one, and is still there for the next.
    var larger = Self.buffer(10)
    spares.reserve(1_000_000, in: &larger)
    var next = Self.buffer(10)
    spares.reserve(900_000, in: &next)
    #expect(next.capacity == 1_000_000 && next.bytes == [1])
    var last = Self.buffer(10)
    spares.reserve(900_000, in: &last)
    #expect(last.capacity < 1_000_000 && last.bytes == [1])
  }

  @Test("No more than 16 MiB are kept, and those only while they are used")
  func limits() {
    let spares = SpareBuffers()
    for _ in 0..<3 { spares.give(Self.buffer(7 << 20)) }
    func isKept() -> Bool {
      var buffer = Self.buffer(10)
      spares.reserve(2 << 20, in: &buffer)
      return buffer.capacity == 7 << 20
    }
    #expect([isKept(), isKept(), isKept()] == [true, true, false])
    spares.give(Self.buffer(7 << 20))
    spares.trim()
    #expect(isKept())
    spares.give(Self.buffer(7 << 20))
    spares.trim()
    spares.trim()
    #expect(!isKept())
  }
}
