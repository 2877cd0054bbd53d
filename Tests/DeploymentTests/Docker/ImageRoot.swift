import Foundation
import TestSupport

/// The last stage of the image, made in a folder: a bare Debian, the Dockerfile's RUN steps executed in it, and the
/// executable, linked statically with Swift's runtime.
final class ImageRoot: Sendable {
  /// Why this machine can't; nil if it can.
  static let missingReason: String? = {
    if geteuid() != 0 { return "only root can change into the image's folder" }
    return FileManager.default.fileExists(atPath: base) ? nil : "\(base) is not there: Tests/setup.sh makes it"
  }()

  private static let base: String = {
    let cache = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
    return "\(cache)/multistore-exporter/debian.tar"
  }()

  let directory: TemporaryDirectory
  let path: String

  init(_ dockerfile: Dockerfile) throws {
    directory = try TemporaryDirectory()
    path = directory.path("root")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Self.succeed("tar", ["--extract", "--file", Self.base, "--directory", path])
    // As an engine does, so that apt finds its servers.
    try FileManager.default.removeItem(atPath: "\(path)/etc/resolv.conf")
    try FileManager.default.copyItem(atPath: "/etc/resolv.conf", toPath: "\(path)/etc/resolv.conf")
    for step in dockerfile.last("RUN") { try run(["/bin/sh", "-c", step], within: .seconds(120)) }
    try linkExecutable(to: "\(path)/usr/bin/multistore-exporter")
  }

  /// Runs a command in the image as root.
  @discardableResult
  func run(_ command: [String], within limit: Duration = .seconds(30)) throws -> String {
    try Self.succeed("unshare", Self.inside(path, setUp: "", user: "0:0", command), within: limit)
  }

  /// Starts the image's program as its user, with nothing writable but the two folders that compose mounts.
  func start(user: String, environment: [String: String], _ command: [String]) throws -> ChildProcess {
    let owner = user.split(separator: ":")
    let options = "uid=\(owner[0]),gid=\(owner[1]),mode=0750"
    let setUp = """
      for folder in run var/lib; do mount -t tmpfs -o \(options) tmpfs "$1/$folder/multistore-exporter"; done
      mount -o remount,bind,ro "$1"
      """
    let words = ["/usr/bin/env", "-i"] + environment.map { "\($0.key)=\($0.value)" }.sorted() + command
    return try ChildProcess("unshare", Self.inside(path, setUp: setUp, user: user, words))
  }

  /// Arguments of `unshare` for a command that sees the folder as its root. The mounts go with the process.
  private static func inside(_ root: String, setUp: String, user: String, _ command: [String]) -> [String] {
    let script = """
      set -e
      mount --bind "$1" "$1"
      mount -t proc proc "$1/proc"
      mount --bind /dev "$1/dev"
      \(setUp)
      exec chroot --userspec="$2" "$1" "${@:3}"
      """
    return ["--mount", "bash", "-c", script, "inside", root, user] + command
  }

  @discardableResult
  private static func succeed(
    _ program: String,
    _ arguments: [String],
    within limit: Duration = .seconds(60)
  ) throws -> String {
    let outcome = try ChildProcess.run(program, arguments, within: limit)
    guard outcome.exit == .status(0) else {
      throw TestSupportError(.process, "\(program) \(arguments): \(outcome.exit)\n\(outcome.output)\(outcome.errors)")
    }
    return outcome.output
  }

  /// Links the objects of this build as `--static-swift-stdlib` does. A release build would take minutes; what it needs
  /// besides Swift's runtime is the same.
  private func linkExecutable(to file: String) throws {
    let build = URL(fileURLWithPath: SidecarProcess.executablePath).deletingLastPathComponent().path
    let libraries = [
      "Foundation", "FoundationInternationalization", "CoreFoundation", "_FoundationICU", "_FoundationCShims",
      "_FoundationCollections",
    ]
    try Self.succeed(
      "swiftc",
      ["-static-stdlib", "-emit-executable", "-o", file, "@\(build)/multistore-exporter.product/Objects.LinkFileList"]
        + ["-Xlinker", "--defsym=main=multistore_exporter_main", "-Xlinker", "-s", "-Xlinker", "--start-group"]
        + libraries.map { "-l\($0)" } + ["-Xlinker", "--end-group", "-lstdc++", "-lm"],
      within: .seconds(120)
    )
  }
}
