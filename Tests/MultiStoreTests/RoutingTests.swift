internal import RESP
internal import Testing

@testable internal import MultiStore

@Suite("Routing")
struct RoutingTests {
  private static func routing(_ dual: Bool, _ primary: Bool, _ policy: ReadPolicy, canUsePrimary: Bool = true)
    -> Routing
  {
    Routing(
      flags: FlagState(dualWrite: dual, primaryAsDefault: primary),
      canUsePrimary: canUsePrimary,
      readPolicy: policy
    )
  }

  @Test("With dual writes off everything goes to the default store", arguments: CommandClass.allCases)
  func single(commandClass: CommandClass) {
    for policy in ReadPolicy.allCases {
      #expect(Self.routing(false, false, policy).route(for: commandClass) == .single(.secondary))
      #expect(Self.routing(false, true, policy).route(for: commandClass) == .single(.primary))
    }
  }

  @Test("With dual writes on the class decides", arguments: CommandClass.allCases, ReadPolicy.allCases)
  func dual(commandClass: CommandClass, policy: ReadPolicy) {
    for (isPrimary, defaultStore) in [(false, StoreRole.secondary), (true, .primary)] {
      let expected: Route =
        switch commandClass {
        case .read: policy == .fallback ? .primaryWithFallback : .single(defaultStore)
        case .write: .dualWrite(defaultStore: defaultStore)
        default: .single(defaultStore)
        }
      #expect(Self.routing(true, isPrimary, policy).route(for: commandClass) == expected)
    }
  }

  @Test("Without a usable primary both flags count as off", arguments: CommandClass.allCases)
  func unusablePrimary(commandClass: CommandClass) {
    for dual in [false, true] {
      for primary in [false, true] {
        let routing = Self.routing(dual, primary, .fallback, canUsePrimary: false)
        #expect(!routing.isDual && routing.defaultStore == .secondary)
        #expect(routing.route(for: commandClass) == .single(.secondary))
      }
    }
  }

  @Test("A store's other one is the other one, and both have their names")
  func roles() {
    #expect(StoreRole.allCases.map(\.other) == [.secondary, .primary])
    #expect(StoreRole.allCases.map(\.label) == ["primary", "secondary"])
    #expect(StoreRole.allCases.map(\.messageName) == ["primary_store", "secondary_store"])
  }
}

@Suite("Feature flags")
struct FeatureFlagsTests {
  @Test("Both flags are kept apart, and exchanged at once")
  func exchange() {
    let states = [false, true].flatMap { dual in
      [false, true].map { FlagState(dualWrite: dual, primaryAsDefault: $0) }
    }
    for before in states {
      for after in states {
        let flags = FeatureFlags(instanceName: "cache", state: before)
        #expect(flags.state == before)
        #expect(flags.exchange(after) == before)
        #expect(flags.state == after)
      }
    }
    #expect(FeatureFlags(instanceName: "cache").state == FlagState(dualWrite: false, primaryAsDefault: false))
  }

  @Test("Flags have GitLab's names")
  func names() {
    #expect(FeatureFlag.dualWrite.name(instance: "cache") == "use_primary_and_secondary_stores_for_cache")
    #expect(FeatureFlag.primaryAsDefault.name(instance: "cache") == "use_primary_store_as_default_for_cache")
  }

  @Test("A flag is reached by its case", arguments: FeatureFlag.allCases)
  func byCase(flag: FeatureFlag) {
    var state = FlagState()
    state[flag] = true
    #expect(state[flag])
    #expect(FeatureFlag.allCases.filter { state[$0] } == [flag])
    #expect(state == FlagState(dualWrite: flag == .dualWrite, primaryAsDefault: flag == .primaryAsDefault))
  }
}
