import TestSupport

/// The instructions of `deploy/docker/Dockerfile`, stage by stage.
struct Dockerfile {
  struct Instruction {
    /// `RUN`, `COPY` …
    let name: String
    /// The rest of it, on one line.
    let arguments: String
  }

  /// Each begins with its `FROM`.
  let stages: [[Instruction]]

  init() throws {
    var stages: [[Instruction]] = []
    let lines = try DeployFile.text("deploy/docker/Dockerfile").split(separator: "\n").filter { !$0.hasPrefix("#") }
    let whole = lines.joined(separator: "\n").replacing(#/\ *\\\n\ */#, with: " ")
    for line in whole.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      let instruction = Instruction(name: String(words[0]), arguments: String(words[1]))
      if instruction.name == "FROM" { stages.append([]) }
      // Arguments before the first stage are for its FROM alone.
      if !stages.isEmpty { stages[stages.count - 1].append(instruction) }
    }
    guard stages.count == 2 else { throw TestSupportError(.malformed, "\(stages.count) stages") }
    self.stages = stages
  }

  /// The arguments of all instructions of one kind in the last stage.
  func last(_ name: String) -> [String] { stages[1].filter { $0.name == name }.map(\.arguments) }

  /// The packages that a stage installs.
  func packages(_ stage: Int) -> Set<String> {
    let steps = stages[stage].filter { $0.name == "RUN" }.map(\.arguments)
    let lists = steps.compactMap { $0.firstMatch(of: /apt-get install --yes --no-install-recommends ([^&]+)/)?.1 }
    return Set(lists.flatMap { $0.split(separator: " ").map(String.init) })
  }

  /// What ENV sets.
  var environment: [String: String] {
    let pairs = last("ENV").flatMap { $0.split(separator: " ") }.map { $0.split(separator: "=", maxSplits: 1) }
    return Dictionary(uniqueKeysWithValues: pairs.map { (String($0[0]), String($0[1])) })
  }

  /// The words of HEALTHCHECK's command.
  func healthCheck() throws -> [String] {
    guard let text = last("HEALTHCHECK").first, let list = text.firstRange(of: "CMD [") else {
      throw TestSupportError(.missing, "no HEALTHCHECK with a list")
    }
    return try JSONValue(parsing: "[" + text[list.upperBound...]).elements?.compactMap(\.string) ?? []
  }
}
