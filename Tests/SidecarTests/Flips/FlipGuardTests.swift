import HTTPServer
import HTTPTestSupport
import MultiStore
import TestSupport
import Testing

@testable import Sidecar

@Suite("Refused flips")
struct FlipGuardTests {
  private static func flips(
    of instance: InstanceFixture,
    maxKeysAtFlip: Int = 1000
  ) -> FlipGuard {
    FlipGuard([FlipGuard.Instance(flags: instance.flags, access: instance.access, maxKeysAtFlip: maxKeysAtFlip)])
  }

  private static let distrusted: [StoreRole: StoreTrust] = [.primary: .lost(.overflow, sinceMilliseconds: 1)]

  @Test func `only a flag that moves the default store is judged`() throws {
    let flips = try Self.flips(of: InstanceFixture(trust: Self.distrusted))
    #expect(flips.refusal(ofSetting: Name.defaultA, to: true)?.contains("is not trusted") == true)
    #expect(flips.refusal(ofSetting: Name.defaultA, to: false) == nil)
    #expect(flips.refusal(ofSetting: Name.dualA, to: true) == nil)
    #expect(flips.refusal(ofSetting: Name.defaultB, to: true) == nil)
    #expect(FlipGuard().refusal(ofSetting: Name.defaultA, to: true) == nil)
  }

  @Test func `stale keys on the store to come count, and without a second store nothing does`() throws {
    let keys = (0..<3).map { StaleKey("k\($0)", at: 1) }
    let instance = try InstanceFixture(staleKeys: [.primary: keys])
    let accepted = Self.flips(of: instance, maxKeysAtFlip: 3).refusal(ofSetting: Name.defaultA, to: true)
    // The fixture's stores are not there.
    #expect(accepted?.contains("stale") == false && accepted?.contains("That store can't be used: ") == true)
    let refusal = Self.flips(of: instance, maxKeysAtFlip: 2).refusal(ofSetting: Name.defaultA, to: true)
    #expect(refusal?.contains("3 keys are stale there, and max_keys_at_flip is 2") == true)
    let alone = try InstanceFixture(staleKeys: [.secondary: keys], hasPrimary: false)
    #expect(Self.flips(of: alone, maxKeysAtFlip: 0).refusal(ofSetting: Name.defaultA, to: true) == nil)
  }

  @Test func `keys that became stale a moment ago count`() throws {
    let instance = try InstanceFixture(staleKeys: [.secondary: [StaleKey("a", at: 1), StaleKey("b", at: 2)]])
    let flips = Self.flips(of: instance, maxKeysAtFlip: 1)
    #expect(flips.refusal(ofSetting: Name.defaultA, to: true)?.contains("stale") == false)
    // They are stale on the other store then.
    #expect(try instance.access.ask { $0.acceptStaleKeys(who: "eve", why: "test").count } == 2)
    #expect(flips.refusal(ofSetting: Name.defaultA, to: true)?.contains("2 keys are stale there") == true)
  }

  @Test func `the admin API refuses with the reason, and does what is forced`() throws {
    let instance = try InstanceFixture(trust: Self.distrusted)
    let flags = try FlagFixture("{}\n")
    let server = try HTTPServer.onLoopback(FeatureRoutes(flags.store, flips: Self.flips(of: instance)).routes)
    let path = "/api/v4/features/\(Name.defaultA)"
    for form in ["value=true", "value=true&force=false"] {
      let refused = try server.curl(path, "-d", form)
      #expect(refused.status == 409)
      #expect(
        refused.text.hasPrefix("The feature flag '\(Name.defaultA)' was not changed: the default store of a would")
      )
    }
    for form in ["value=true&force=", "value=true&force=1", "value=true&force=true&force=true"] {
      #expect(try server.curl(path, "-d", form).status == 400)
    }
    #expect(flags.on == [])
    let json = ["-H", "Content-Type: application/json", "-d", "{\"force\": true, \"value\": true}"]
    #expect(try server.curl(path, arguments: json).status == 201)
    #expect(flags.on == [Name.defaultA])
    #expect(try server.curl(path, "-d", "value=false").status == 201)
    #expect(try server.curl(path, "-d", "value=true&force=true").status == 201)
    #expect(try server.curl("\(path)?force=perhaps", "-X", "DELETE").status == 400)
    #expect(try server.curl("\(path)?force=true", "-X", "DELETE").status == 204)
    #expect(flags.on == [])
  }
}
