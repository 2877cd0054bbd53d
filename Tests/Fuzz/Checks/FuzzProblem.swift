/// What must never happen, and did: the end of a fuzzing run.
public struct FuzzProblem: Error, CustomStringConvertible {
  /// What happened.
  public let description: String

  /// A problem.
  public init(_ description: String) {
    self.description = description
  }
}

/// A generator that gives the same numbers for the same seed (SplitMix64).
public struct FuzzGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// A generator whose numbers follow from `seed`.
  public init(seed: UInt64) {
    state = seed
  }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
