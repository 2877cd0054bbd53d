@testable import Sidecar
import TestSupport
import Testing

/// Texts with mistakes, and what is said about each.
private let mistakes: [(yaml: String, problems: [String])] = [
  ("", ["sidecar.yml: is empty; expected at least one of instances: with name, listen and secondary"]),
  ("# nothing\n", ["sidecar.yml: is empty; expected at least one of instances: with name, listen and secondary"]),
  ("hello", ["sidecar.yml:1:1: expected keys with values, found text"]),
  ("- a", ["sidecar.yml:1:1: expected keys with values, found a list"]),
  ("stores: {}", ["sidecar.yml:1:1: \"instances\" is missing; expected a list of maps"]),
  ("instances: []", ["sidecar.yml:1:12: instances: expected a list of maps, found an empty list"]),
  ("instances:", ["sidecar.yml:1:11: instances: has no value; expected a list of maps"]),
  ("instances: { name: a }", ["sidecar.yml:1:12: instances: expected a list of maps, found a map"]),
  ("instances: [a]", ["sidecar.yml:1:13: instances[0]: expected a map, found text"]),
  (
    "instances: [{}]",
    [
      "sidecar.yml:1:13: instances[0]: \"name\" is missing; expected up to 64 lower-case letters, digits and "
        + "underscores, beginning with a letter",
      "sidecar.yml:1:13: instances[0]: \"listen\" is missing; expected an address such as 127.0.0.1:6400 or "
        + "unix:/run/sidecar.sock, or a list of them",
      "sidecar.yml:1:13: instances[0]: \"secondary\" is missing; expected the name of a store under stores, "
        + "or a map with a url or a sentinel",
    ]
  ),
  (
    minimal(instance: "read_polcy: fallback"),
    ["sidecar.yml:5:5: instances[0].read_polcy: unknown key; did you mean \"read_policy\"?"]
  ),
  (
    minimal(top: "frobnicate: 1"),
    [
      "sidecar.yml:5:1: frobnicate: unknown key; known are instances, stores, feature_flags, state_directory, admin, "
        + "log, memory_limit, shutdown_timeout"
    ]
  ),
  (
    minimal(instance: "max_queued_commands: 10", top: "write_acknowledgement: both"),
    [
      "sidecar.yml:5:5: instances[0].max_queued_commands: unknown key; its place is: a store (stores.NAME, primary, "
        + "secondary)",
      "sidecar.yml:6:1: write_acknowledgement: unknown key; its place is: an instance (instances[])",
    ]
  ),
  (
    minimal(instance: "read_policy: fallbak"),
    [
      "sidecar.yml:5:18: instances[0].read_policy: expected fallback or default_store, found \"fallbak\"; "
        + "did you mean \"fallback\"?"
    ]
  ),
  (
    minimal(instance: "log_values: yes"),
    ["sidecar.yml:5:17: instances[0].log_values: expected true or false, found \"yes\""]
  ),
  (
    minimal(instance: "log_values: [true]"),
    ["sidecar.yml:5:17: instances[0].log_values: expected true or false, found a list"]
  ),
  (
    minimal(instance: "max_clients: -1"),
    ["sidecar.yml:5:18: instances[0].max_clients: expected a whole number from 1 to 1000000, found \"-1\""]
  ),
  (
    minimal(instance: "max_clients: 99999999999999999999"),
    [
      "sidecar.yml:5:18: instances[0].max_clients: expected a whole number from 1 to 1000000, "
        + "found \"99999999999999999999\""
    ]
  ),
  (
    minimal(instance: "idle_timeout: 5"),
    [
      "sidecar.yml:5:19: instances[0].idle_timeout: expected a duration from 1s to 168h with its unit, such as "
        + "250ms, 5s or 2m, or none, found \"5\""
    ]
  ),
  (
    minimal(instance: "max_bulk_bytes: 1GB"),
    [
      "sidecar.yml:5:21: instances[0].max_bulk_bytes: expected a size from 1KiB to 512MiB, such as 64MiB, "
        + "or in bytes, found \"1GB\""
    ]
  ),
  (
    minimal(instance: "max_bulk_bytes: 1GiB"),
    [
      "sidecar.yml:5:21: instances[0].max_bulk_bytes: expected a size from 1KiB to 512MiB, such as 64MiB, "
        + "or in bytes, found \"1GiB\""
    ]
  ),
  (
    minimal(instance: "password: \"\""),
    ["sidecar.yml:5:15: instances[0].password: is empty; expected text"]
  ),
  (
    minimal(instance: "password: a\npassword_file: /nowhere"),
    ["sidecar.yml:6:20: instances[0].password_file: password is given as well; give one of them"]
  ),
  (
    minimal(instance: "password_file: /nowhere/password"),
    [
      "sidecar.yml:5:20: instances[0].password_file: cannot read /nowhere/password: No such file or directory"
    ]
  ),
  (minimal(instance: "users: bob"), ["sidecar.yml:5:12: instances[0].users: expected a list of maps, found text"]),
  (
    minimal(instance: "users: []"),
    ["sidecar.yml:5:12: instances[0].users: expected a list of maps, found an empty list"]
  ),
  (
    minimal(instance: "users: [{ name: bob }, { name: a b, password: c }]"),
    [
      "sidecar.yml:5:13: instances[0].users[0]: a user without a password; add password_file, or certificate_name",
      "sidecar.yml:5:36: instances[0].users[1].name: expected a name without spaces",
    ]
  ),
  (
    minimal(instance: "password: x\nusers: [{ name: bob, password: y }, { name: bob, password: z }]"),
    ["sidecar.yml:6:49: instances[0].users[1].name: the user \"bob\" has a password already, in line 6"]
  ),
  (
    minimal(instance: "password: x\nusers: [{ name: default, password: y }]"),
    ["sidecar.yml:6:21: instances[0].users[0].name: the user \"default\" has a password already, in line 5"]
  ),
  (
    minimal(instance: "password: ${UNSET}"),
    ["sidecar.yml:5:15: instances[0].password: the environment variable UNSET is not set"]
  ),
  (
    minimal(instance: "password: ${not closed"),
    [
      "sidecar.yml:5:15: instances[0].password: a ${ without its closing brace; write $${ for a literal ${"
    ]
  ),
  (
    minimal(instance: "name: other\nname: third"),
    [
      "sidecar.yml:5:5: instances[0].name: given twice; it is already in line 2",
      "sidecar.yml:6:5: instances[0].name: given twice; it is already in line 2",
    ]
  ),
  (
    minimal(instance: "primary: nowhere"),
    ["sidecar.yml:5:14: instances[0].primary: no store is called \"nowhere\"; stores defines none"]
  ),
  (
    minimal(instance: "primary: redis://:hunter2@h"),
    [
      "sidecar.yml:5:14: instances[0].primary: expected the name of a store under stores; for a URL write "
        + "{ url: … }"
    ]
  ),
  (
    minimal(instance: "primary: sharde", top: "stores: { shared: { url: redis://h } }"),
    [
      "sidecar.yml:5:14: instances[0].primary: no store is called \"sharde\"; did you mean \"shared\"?",
      "sidecar.yml:6:11: warning: stores.shared: no instance uses this store",
    ]
  ),
  (
    minimal(top: "stores: { Shared: { url: redis://h } }"),
    [
      "sidecar.yml:5:11: stores: the name of a store has to be up to 64 lower-case letters, digits and underscores, "
        + "beginning with a letter"
    ]
  ),
  (
    minimal(instance: "primary: { url: redis://127.0.0.1 }"),
    [
      "sidecar.yml:5:14: warning: instances[0].primary: primary and secondary are both 127.0.0.1:6379/0; "
        + "while they are one store the feature flags have no effect"
    ]
  ),
  (
    minimal(instance: "primary: { url: redis://127.0.0.1:6400/3 }"),
    [
      "sidecar.yml:5:14: instances[0].primary: 127.0.0.1:6400 is where the instance sessions of this sidecar "
        + "listens, not a store"
    ]
  ),
  (
    minimal(instance: "primary: { url: redis://u:p@h, username: v, password: q }"),
    [
      "sidecar.yml:5:46: instances[0].primary.username: the url has a user name already; give it once",
      "sidecar.yml:5:59: instances[0].primary.password: the url has a password already; give it once",
    ]
  ),
  (
    minimal(instance: "primary: { url: redis://h, username: v }"),
    ["sidecar.yml:5:14: instances[0].primary: a user name without a password; add password_file"]
  ),
  (
    minimal(instance: "primary: { url: redis://h, sentinels: a, db: 1, tls: on, ssl: on }"),
    [
      "sidecar.yml:5:32: instances[0].primary.sentinels: unknown key; it is sentinel: { master: NAME, "
        + "nodes: [host:port, …] }",
      "sidecar.yml:5:46: instances[0].primary.db: unknown key; the database is part of the url: "
        + "redis://host:port/1 or unix:///path?db=1",
      "sidecar.yml:5:58: instances[0].primary.tls: expected a map, found text",
      "sidecar.yml:5:62: instances[0].primary.ssl: unknown key; TLS is a rediss:// URL, and a map tls with its "
        + "settings",
    ]
  ),
  (
    """
    instances:
      - { name: a, listen: "127.0.0.1:1", secondary: { url: redis://h } }
      - { name: a, listen: ["127.0.0.1:2", "127.0.0.1:1"], secondary: { url: redis://h } }
    """,
    [
      "sidecar.yml:3:13: instances[1].name: another instance is called \"a\" in line 2; names have to differ",
      "sidecar.yml:3:40: instances[1].listen: a listens on 127.0.0.1:1 already, in line 2",
    ]
  ),
  (
    "instances: [",
    ["sidecar.yml:2:1: not valid YAML: while parsing a flow node, did not find expected node content"]
  ),
  (
    "a: 1\n---\nb: 2",
    ["sidecar.yml:2:1: not valid YAML: expected a single document in the stream, but found another document"]
  ),
  ("a: *b", ["sidecar.yml:1:4: not valid YAML: found undefined alias"]),
  ("a: \u{7}", ["sidecar.yml:1:4: not valid YAML: control characters are not allowed"]),
]

@Suite("Mistakes in configurations")
struct ConfigurationProblemTests {
  @Test("Each mistake is named with file, line, column, key and what would be right", arguments: mistakes)
  func mistake(yaml: String, expected: [String]) {
    let result = parse(yaml)
    #expect(result.problems.map(\.description) == expected)
    #expect((result.configuration == nil) == !result.errors.isEmpty)
  }

  @Test("One reading finds all mistakes, in the order of the file")
  func allAtOnce() {
    let yaml = """
      shutdown_timeout: soon
      instances:
        - name: Sessions
          listen: 6400
          secondary: { url: sentinel://h }
          secondary: { url: redis://h, comand_timeout: 1s }
        - name: cache
          listen: unix:relative
          secondary: { url: redis://h, command_timeout: 1 }
      log: { queue_limit: 1 }
      """
    #expect(
      parse(yaml).problems.map { "\($0.position?.line ?? 0) \($0.keyPath)" } == [
        "1 shutdown_timeout", "3 instances[0].name", "4 instances[0].listen", "5 instances[0].secondary.url",
        "6 instances[0].secondary", "8 instances[1].listen", "9 instances[1].secondary.command_timeout",
        "10 log.queue_limit",
      ]
    )
  }

  @Test("No problem shows a secret, wherever it was put by mistake")
  func secretsStayHidden() {
    let secret = "hunter2"
    let environment = ["SECRET": secret]
    let texts = [
      minimal(instance: "primary: redis://:hunter2@h"),
      minimal(instance: "primary: { url: \"redis://:hunter2@h:99999999\" }"),
      minimal(instance: "primary: { url: \"redis://:hun/hunter2@h\" }"),
      minimal(instance: "primary: { url: \"redis://h:hunter2\" }"),
      minimal(instance: "primary: { url: \"redis://h/hunter2\" }"),
      minimal(instance: "primary: { url: \"hunter2\" }"),
      minimal(instance: "primary: { url: \"hunter2://h\" }"),
      minimal(instance: "primary: { url: \"redis://h%hunter2\" }"),
      minimal(instance: "primary: { url: \"${SECRET}\" }"),
      minimal(instance: "primary: { url: redis://h, password: hunter2, password_file: /nowhere }"),
      minimal(instance: "primary: { url: redis://:hunter2@h, password: hunter2 }"),
      minimal(instance: "primary: ${SECRET}"),
      minimal(instance: "log_values: ${SECRET}"),
      minimal(instance: "max_clients: ${SECRET}"),
      minimal(instance: "listen: ${SECRET}"),
      minimal(instance: "password: [hunter2]"),
      minimal(instance: "password: *hunter2x\n  hunter2: ]"),
      minimal(instance: "password: \"hunter2"),
      minimal(instance: "password: hunter2\npassword: hunter2"),
      minimal(instance: "idle_timeout: ${SECRET}"),
      minimal(instance: "read_policy: ${SECRET}"),
    ]
    for text in texts {
      let problems = problems(text, environment: environment)
      #expect(!problems.isEmpty, "\(text)")
      #expect(!problems.contains { $0.contains(secret) }, "\(problems)")
    }
  }

  @Test("A secret shows in no description, dump or interpolation")
  func secretsInConfigurations() throws {
    let yaml = minimal(instance: "password: hunter2\nprimary: { url: redis://:hunter2@h }")
    let configuration = try configuration(yaml)
    var dumped = "\(configuration)" + String(reflecting: configuration)
    dump(configuration, to: &dumped)
    #expect(dumped.contains("sessions"))
    #expect(!dumped.contains("hunter2"))
    #expect(configuration.instances[0].password?.value == "hunter2")
  }

  @Test("A file that is not there, a folder, a file that is not UTF-8 and one that is too large")
  func unreadableFiles() throws {
    let folder = try TemporaryDirectory()
    let read = { (path: String) in SidecarConfiguration.load(file: path).problems.map(\.description) }
    let missing = folder.path("missing.yml")
    #expect(read(missing) == ["\(missing): cannot be read: No such file or directory"])
    #expect(read(folder.path) == ["\(folder.path): cannot be read: Is a directory"])
    let large = try folder.write(String(repeating: "#", count: 1 << 20 + 1), to: "large.yml")
    #expect(read(large) == ["\(large): cannot be read: File too large"])
    let latin = SidecarConfiguration.parse(
      Array("a: 1\nb: ü".utf8) + [0xFC, 0x0A],
      file: "latin.yml",
      environment: { _ in nil }
    )
    #expect(latin.problems.map(\.description) == ["latin.yml:2:5: not UTF-8 text"])
  }

  @Test("A password file that everybody can read, and one with nothing in it")
  func passwordFiles() throws {
    let folder = try TemporaryDirectory()
    let open = try folder.write("a\n", to: "open")
    let closed = try folder.write("b\n", to: "closed")
    let empty = try folder.write("\n", to: "empty")
    try setMode(0o644, of: open)
    try setMode(0o640, of: closed)
    #expect(
      problems(minimal(instance: "password_file: \(open)")) == [
        "sidecar.yml:5:20: warning: instances[0].password_file: \(open) can be read by every user of this machine; "
          + "chmod o-r takes that away"
      ]
    )
    #expect(problems(minimal(instance: "password_file: \(closed)")) == [])
    #expect(
      problems(minimal(instance: "password_file: \(empty)")) == [
        "sidecar.yml:5:20: instances[0].password_file: \(empty) is empty"
      ]
    )
  }

  @Test("Aliases that unfold into billions of values are refused before they do")
  func aliasBomb() {
    var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      yaml += "a\(level): &a\(level) [\(aliases)]\n"
    }
    let problems = problems(yaml)
    #expect(problems.count == 1)
    #expect(problems.first?.hasSuffix("unfolds into more than 100000 values") == true, "\(problems)")
  }

  @Test("Duplicate keys of every spelling are found, more of them than are told apart end the reading")
  func duplicateKeys() {
    #expect(
      problems(minimal(top: "\"log\": {}\n'log': {}\nlog: {}")) == [
        "sidecar.yml:6:1: log: given twice; it is already in line 5",
        "sidecar.yml:7:1: log: given twice; it is already in line 5",
      ]
    )
    let many = (0..<70).map { "k\($0): 1\nk\($0): 2\n" }.joined()
    let found = problems(many)
    #expect(found.count == 1)
    #expect(found.first?.hasSuffix("the key is given twice in the same map") == true, "\(found)")
    #expect(
      problems("\"\\x6cog\": {}\nlog: {}") == ["sidecar.yml:1:1: the key is given twice in the same map"]
    )
  }
}
