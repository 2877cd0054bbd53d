import Foundation
import TestSupport

/// The checkers from PyPI, which `Tests/setup.sh` installs.
enum PythonTools {
  /// The folder with their modules.
  static let folder: String = {
    let cache = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
    return "\(cache)/multistore-exporter/python-deployment-tools"
  }()

  /// Runs a module's command line.
  static func run(module: String, _ arguments: [String]) throws -> ProcessOutcome {
    try run(["-m", module] + arguments)
  }

  /// Runs a script of this target.
  static func run(script: String, _ arguments: [String]) throws -> ProcessOutcome {
    try run([DeployFile.path("Tests/DeploymentTests/Scripts/\(script)")] + arguments)
  }

  private static func run(_ arguments: [String]) throws -> ProcessOutcome {
    guard FileManager.default.fileExists(atPath: folder) else {
      throw TestSupportError(.missing, "\(folder) is not there: Tests/setup.sh installs what tests need")
    }
    // It begins slowly while other tests keep the processors busy.
    let environment = ["PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"]
    return try ChildProcess.run("python3", arguments, environment: environment, within: .seconds(240))
  }
}
