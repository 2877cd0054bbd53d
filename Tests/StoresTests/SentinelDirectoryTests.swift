import EventLoop
import Testing

@testable import Stores

/// Decisions about sentinels, without any.
@Suite struct SentinelDirectoryTests {
  private typealias Step = SentinelDirectory.Step

  private static func sentinel(_ number: Int) -> SocketAddress { .tcp(host: "10.0.1.\(number)", port: 26379) }
  private static func server(_ number: Int) -> SocketAddress { .tcp(host: "10.0.0.\(number)", port: 6379) }

  private let a = sentinel(1)
  private let b = sentinel(2)
  private let c = sentinel(3)
  private let first = server(1)
  private let second = server(2)
  private let third = server(3)

  private func known(_ addresses: [SocketAddress]) -> [SentinelReply.Sentinel] {
    addresses.map { SentinelReply.Sentinel(address: $0) }
  }

  private func directory() -> SentinelDirectory { SentinelDirectory(masterName: "m", nodes: [a, b, c, a]) }

  /// A directory that has found the first server, from the sentinel a.
  private func settled() -> SentinelDirectory {
    var directory = directory()
    _ = directory.beginSearch()
    _ = directory.receive(.master(first), from: a)
    return directory
  }

  @Test func `the first answer counts, and the next search begins with another sentinel`() {
    var directory = directory()
    var step = directory.beginSearch()
    #expect(step == .ask(a))
    step = directory.beginSearch()
    #expect(step == .none, "one search at a time")
    step = directory.receive(.master(first), from: a)
    #expect(step == .found(first, former: nil))
    #expect(directory.master == first && directory.sentinels == [b, c, a])
    step = directory.beginSearch()
    #expect(step == .ask(b))
    step = directory.receive(.master(second), from: a)
    #expect(step == .none, "it was not asked")
    step = directory.receive(.master(first), from: b)
    #expect(step == .found(first, former: nil), "it is where it was")
  }

  @Test func `sentinels that do not answer or do not know are passed over, and the silent ones are asked last`() {
    var directory = directory()
    _ = directory.beginSearch()
    var step = directory.receive(.failure("not connected"), from: a)
    #expect(step == .ask(b))
    step = directory.receive(.unknownMaster, from: b)
    #expect(step == .ask(c))
    step = directory.receive(.master(first), from: c)
    #expect(step == .found(first, former: nil))
    #expect(directory.sentinels == [b, c, a])
    directory.heard(of: a)
    #expect(directory.sentinels == [a, b, c])
  }

  @Test func `a search without an answer says what each sentinel has said`() {
    var directory = SentinelDirectory(masterName: "m", nodes: [a, b])
    _ = directory.beginSearch()
    _ = directory.receive(.failure("not connected"), from: a)
    let step = directory.receive(.unknownMaster, from: b)
    #expect(
      step
        == .notFound(
          reason: "no sentinel names the master \"m\": 10.0.1.1:26379: not connected; "
            + "10.0.1.2:26379 watches no master of that name"
        )
    )
    #expect(!directory.isSearching)
  }

  @Test func `a message moves the master at once, and ends a search`() {
    var directory = settled()
    _ = directory.beginSearch()
    var step = directory.receive(switchFrom: first, to: second, from: a)
    #expect(step == .found(second, former: first))
    #expect(!directory.isSearching)
    step = directory.receive(switchFrom: first, to: second, from: a)
    #expect(step == .none, "each sentinel says it once")
  }

  @Test func `after a failover a sentinel that still names the former master is not believed alone`() {
    var directory = settled()
    _ = directory.receive(switchFrom: first, to: second, from: a)
    var step = directory.beginSearch()
    #expect(step == .ask(b))
    step = directory.receive(.master(first), from: b)
    #expect(step == .ask(c))
    step = directory.receive(.master(second), from: c)
    #expect(step == .found(second, former: nil))
  }

  @Test func `a master that all sentinels name is believed, even if it is the former one`() {
    var directory = settled()
    _ = directory.receive(switchFrom: first, to: second, from: a)
    var step = directory.beginSearch()
    for sentinel in [b, c] { step = directory.receive(.master(first), from: sentinel) }
    #expect(step == .ask(a))
    step = directory.receive(.failure("not connected"), from: a)
    #expect(step == .found(first, former: second))
    step = directory.receive(switchFrom: first, to: third, from: a)
    #expect(step == .found(third, former: first))
  }

  @Test func `a failover that nobody has told of is found by asking`() {
    var directory = settled()
    _ = directory.beginSearch()
    let step = directory.receive(.master(second), from: b)
    #expect(step == .found(second, former: first))
  }

  @Test func `a message that comes before the first answer is believed`() {
    var directory = directory()
    _ = directory.beginSearch()
    let step = directory.receive(switchFrom: first, to: second, from: a)
    #expect(step == .found(second, former: nil))
    var next = directory.beginSearch()
    next = directory.receive(.master(first), from: a)
    #expect(next == .ask(b), "it lags behind")
  }

  @Test func `others are learnt up to a limit, and forgotten when they are gone, but for the configured ones`() {
    var directory = settled()
    directory.learn(known([b, Self.sentinel(9)]), from: a)
    #expect(Set(directory.sentinels) == [a, b, c, Self.sentinel(9)])
    directory.learn(known((10..<100).map(Self.sentinel)), from: Self.sentinel(9))
    #expect(directory.sentinels.count == SentinelDirectory.limit)
    directory.learn(known([Self.sentinel(9)]), from: b)
    directory.learn(known([b, c]), from: a)
    #expect(directory.sentinels.count == SentinelDirectory.limit, "another one knows the one that knows them")
    directory.learn(known([a, c]), from: b)
    #expect(Set(directory.sentinels) == [a, b, c])
  }

  @Test func `a sentinel that is to be asked is not forgotten before`() {
    var directory = SentinelDirectory(masterName: "m", nodes: [a])
    directory.learn(known([b, c]), from: a)
    _ = directory.beginSearch()
    directory.learn([], from: a)
    #expect(Set(directory.sentinels) == [a, b, c])
    _ = directory.receive(.unknownMaster, from: a)
    let step = directory.receive(.unknownMaster, from: b)
    #expect(step == .ask(c))
  }

  @Test func `a master that most sentinels name replaces the one that the first answer has named`() {
    var directory = settled()
    var step = directory.receive(.master(second), from: b)
    #expect(step == .none, "one of three")
    step = directory.receive(.master(second), from: c)
    #expect(step == .found(second, former: first))
    step = directory.receive(.master(first), from: a)
    #expect(step == .none)
  }

  @Test func `sentinels that lag behind a message are no majority, unless nobody contradicts them`() {
    var directory = settled()
    _ = directory.receive(switchFrom: first, to: second, from: a)
    for sentinel in [b, c] {
      let step = directory.receive(.master(first), from: sentinel)
      #expect(step == .none)
    }
    let step = directory.receive(.master(first), from: a)
    #expect(step == .found(first, former: second), "all of them have gone back")
  }

  @Test func `a sentinel is known by one of its addresses, the configured one if there is any`() {
    var directory = SentinelDirectory(masterName: "m", nodes: [a])
    directory.learn([SentinelReply.Sentinel(address: b, id: "x"), .init(address: c, id: "y")], from: a)
    #expect(Set(directory.sentinels) == [a, b, c])
    directory.identify(a, as: "x")
    #expect(Set(directory.sentinels) == [a, c])
    directory.learn([SentinelReply.Sentinel(address: b, id: "x"), .init(address: c, id: "y")], from: a)
    #expect(Set(directory.sentinels) == [a, c])
  }
}
