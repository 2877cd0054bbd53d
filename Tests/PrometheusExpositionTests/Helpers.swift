import Foundation
import PrometheusExposition

extension PrometheusRegistry {
  /// The page as text.
  func text(_ format: ExpositionFormat = .text004) -> String {
    String(decoding: exposition(format), as: UTF8.self)
  }

  /// The samples of the page in the text format: everything before the last space to the number after it.
  func samples() -> [String: Double] {
    var samples: [String: Double] = [:]
    for line in text().split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " ") else { continue }
      samples[String(line[..<space])] = Double(line[line.index(after: space)...])
    }
    return samples
  }
}

/// What a program printed, and how it ended.
struct ProgramResult {
  var status: Int32
  var output: String
}

/// Runs a program, with `input` as its standard input, and gathers both of its outputs in one text.
func run(_ path: String, _ arguments: [String], input: [UInt8] = []) throws -> ProgramResult {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("exposition-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let inputFile = folder.appendingPathComponent("input")
  try Data(input).write(to: inputFile)
  let process = Process()
  process.executableURL = URL(fileURLWithPath: path)
  process.arguments = arguments
  process.standardInput = try FileHandle(forReadingFrom: inputFile)
  let output = Pipe()
  process.standardOutput = output
  process.standardError = output
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return ProgramResult(status: process.terminationStatus, output: String(decoding: data, as: UTF8.self))
}
