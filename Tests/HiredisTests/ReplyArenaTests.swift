import Testing

@testable import Hiredis

@Suite struct ReplyArenaTests {
  /// Sizes around those of objects, of blocks, and of values that have a block of their own.
  private static let sizes = [0, 1, 7, 8, 9, 48, 49, 1000, 2047, 2048, 2049, 4096, 100_000, 256 << 10, 1 << 20]

  @Test func givesOutSeparateMemory() throws {
    var arena = ReplyArena()
    for round in 0..<3 {
      var given: [UnsafeMutableRawBufferPointer] = []
      for count in Self.sizes + Self.sizes.reversed() + Array(repeating: 40, count: 5000) {
        let allocated = arena.allocate(count)
        let start = try #require(allocated)
        #expect(UInt(bitPattern: start).isMultiple(of: UInt(MemoryLayout<Int>.alignment)))
        let memory = UnsafeMutableRawBufferPointer(start: start, count: count)
        for index in memory.indices { memory[index] = UInt8(truncatingIfNeeded: given.count + round) }
        given.append(memory)
      }
      for (number, memory) in given.enumerated() {
        #expect(memory.allSatisfy { $0 == UInt8(truncatingIfNeeded: number + round) })
      }
      arena.removeAll()
    }
  }

  @Test func keepsOneBlockOfTheSizeThatIsNeeded() {
    var arena = ReplyArena()
    func fill(_ arena: inout ReplyArena, _ count: Int) {
      for _ in 0..<count { _ = arena.allocate(80) }
      arena.removeAll()
    }
    #expect(arena.capacity == 0)
    fill(&arena, 2)
    let small = arena.capacity
    #expect(small > 160 && small < 4096)
    // The first reply that is larger shows the size, and the second one has it.
    fill(&arena, 200)
    #expect(arena.capacity == 0)
    fill(&arena, 200)
    let large = arena.capacity
    #expect(large >= 16_000 && large <= 64_000)
    fill(&arena, 2)
    #expect(arena.capacity == large)
    for _ in 0..<2 {
      fill(&arena, 100_000)
      #expect(arena.capacity == 0)
    }
    fill(&arena, 2)
    #expect(arena.capacity == ReplyArena.mostKeptBytes)
  }

  @Test func refusesAnObjectThatIsTooLarge() {
    var arena = ReplyArena()
    let memory = arena.allocate(1 << 60)
    #expect(memory == nil)
    let rest = arena.allocate(1)
    #expect(rest != nil)
  }
}
