import Testing

import func TestSupport.eventually

@testable import EventLoop

@Suite("Programs that the loop runs")
final class ProgramRunTests {
  let harness: LoopHarness

  init() throws {
    harness = try LoopHarness()
  }

  /// The end of the loop waits for programs that are left. Tests that expect the end of a process, wherever they are,
  /// never see it while another process that has ended was not waited for.
  deinit { harness.finish() }

  /// Runs a program to its end.
  func run(
    _ words: String...,
    timeout: Duration = .seconds(20),
    outputLimit: Int = 1 << 20
  ) throws -> ProgramRun.Outcome? {
    var outcome: ProgramRun.Outcome?
    let loop = harness.loop
    let run = try ProgramRun(on: loop, words, timeout: timeout, outputLimit: outputLimit) {
      outcome = $0
      loop.stop()
    }
    loop.run()
    withExtendedLifetime(run) {}
    return outcome
  }

  @Test func `the output of a program that succeeds is delivered`() throws {
    #expect(try run("echo", "one", "two $HOME") == .output(Array("one two $HOME\n".utf8)))
    #expect(try run("/bin/sh", "-c", "echo out; echo err >&2") == .output(Array("out\n".utf8)))
    #expect(try run("true") == .output([]))
    let large = try run("head", "-c", "1000000", "/dev/zero")
    #expect(large == .output([UInt8](repeating: 0, count: 1_000_000)))
  }

  @Test func `failures are told in words, without output`() throws {
    #expect(try run("sh", "-c", "echo secret; exit 3") == .failure(reason: "exited with status 3"))
    #expect(try run("sh", "-c", "kill -9 $$") == .failure(reason: "was ended by signal 9"))
    #expect(try run("yes", outputLimit: 1000) == .failure(reason: "wrote more than 1000 bytes"))
    let slow = try run("sleep", "100", timeout: .milliseconds(50))
    #expect(slow == .failure(reason: "took longer than 0.05 seconds"))
    let error = #expect(throws: EventLoopError.self) { try run("/no/such/program") }
    #expect(error?.description == "running /no/such/program failed: no such file or directory")
  }

  /// Shells wait for nobody, and a child would keep the output open.
  @Test func `what a program has started ends with it`() throws {
    let name = "left-\(UInt32.random(in: .min ... .max))"
    let child = "sh -c 'while read line; do :; done' \(name) </dev/zero"
    let leaving = try run("sh", "-c", "\(child) & echo out")
    #expect(leaving == .output(Array("out\n".utf8)))
    let hanging = try run("sh", "-c", "\(child); echo", timeout: .milliseconds(50))
    #expect(hanging == .failure(reason: "took longer than 0.05 seconds"))
    try eventually("nothing is left") {
      try run("pgrep", "--full", name) == .failure(reason: "exited with status 1")
    }
  }

  @Test func `a run that is cancelled is not heard of, and leaves nothing`() throws {
    let other = try ProgramRun(on: harness.loop, ["sleep", "100"], timeout: .seconds(20), outputLimit: 1) { _ in
      Issue.record("a cancelled run called its handler")
    }
    other.cancel()
    #expect(try run("echo") == .output([10]))
  }

  @Test func `the end of the loop ends a run`() throws {
    _ = try ProgramRun(on: harness.loop, ["sleep", "100"], timeout: .seconds(20), outputLimit: 1) { _ in
      Issue.record("a run outlived its loop")
    }
    harness.loop.close()
  }
}
