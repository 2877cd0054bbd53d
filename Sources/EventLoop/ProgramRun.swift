internal import CUV
internal import Glibc

/// Runs a program without a shell, and hands what it has written to its standard output to a handler on the loop's
/// thread. Its standard error goes nowhere. The processes that it has started, and that did not make a session of their
/// own, end with it.
///
/// It retains itself until the program has ended, since only then can the system forget the process.
package final class ProgramRun: HandleOwner {
  /// The end of a run.
  package enum Outcome: Equatable, Sendable {
    /// It has exited with status 0, and this is its output.
    case output([UInt8])
    /// It could not do that. The reason goes on with a sentence that begins with the program's name.
    case failure(reason: String)
  }

  private let loop: EventLoop
  private let outputLimit: Int
  /// Nil once it was called, or the run was cancelled.
  private var handler: ((Outcome) -> Void)?
  private var process: HandleMemory<uv_process_t>?
  private var pipe: HandleMemory<uv_pipe_t>?
  private var timer: LoopTimer?
  private var output: [UInt8] = []
  /// The reason why it was killed.
  private var failure: String?
  private var retained: ProgramRun?

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - words: the program, which is looked up in PATH unless it has a slash, and its arguments.
  ///   - timeout: the time after which it is killed.
  ///   - outputLimit: the most bytes of output; with more it is killed.
  ///   - handler: called once, in a later turn.
  /// - Throws: if it can't be started: most likely there is no such program, or it may not be executed.
  package init(
    on loop: EventLoop,
    _ words: [String],
    timeout: Duration,
    outputLimit: Int,
    handler: @escaping (Outcome) -> Void
  ) throws(EventLoopError) {
    loop.preconditionOnLoop()
    precondition(!words.isEmpty, "a program without a name was to be run")
    self.loop = loop
    self.outputLimit = outputLimit
    self.handler = handler
    let (process, pipe) = (HandleMemory<uv_process_t>(), HandleMemory<uv_pipe_t>())
    uv_pipe_init(loop.uv, pipe.pointer, 0)
    let result = Self.spawn(process, on: loop, words, output: pipe)
    guard result == 0 else {
      // libuv has initialised the process' handle before it failed.
      process.close()
      pipe.close()
      throw EventLoopError("running \(words[0])", uv: result)
    }
    (self.process, self.pipe) = (process, pipe)
    process.setOwner(self)
    pipe.setOwner(self)
    retained = self
    startReading(pipe)
    let timer = LoopTimer(on: loop) { [unowned self] in kill(because: "took longer than \(timeout)") }
    timer.schedule(after: timeout)
    self.timer = timer
  }

  /// Ends the program, and calls no handler.
  package func cancel() {
    loop.preconditionOnLoop()
    handler = nil
    kill(because: "was cancelled")
  }

  func closeHandle() {
    handler = nil
    guard let process else { return }
    let pid = process.pointer.pointee.pid
    Self.killAll(pid)
    closeAll()
    // The loop hears of no more signals, and the system keeps what is left of a process until it was waited for.
    while waitpid(pid, nil, 0) < 0, errno == EINTR {}
  }

  private static func spawn(
    _ process: HandleMemory<uv_process_t>,
    on loop: EventLoop,
    _ words: [String],
    output: HandleMemory<uv_pipe_t>
  ) -> Int32 {
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var streams = [uv_stdio_container_t](repeating: uv_stdio_container_t(), count: 3)
    streams[0].flags = UV_IGNORE
    streams[1].flags = uv_stdio_flags(rawValue: UV_CREATE_PIPE.rawValue | UV_WRITABLE_PIPE.rawValue)
    streams[1].data.stream = output.stream
    streams[2].flags = UV_IGNORE
    return arguments.withUnsafeMutableBufferPointer { arguments in
      streams.withUnsafeMutableBufferPointer { streams in
        var options = uv_process_options_t()
        options.file = UnsafePointer(arguments[0])
        options.args = arguments.baseAddress
        options.stdio_count = Int32(streams.count)
        options.stdio = streams.baseAddress
        // In a session of its own, and so in a process group.
        options.flags = UV_PROCESS_DETACHED.rawValue
        options.exit_cb = { process, status, signal in
          guard let data = process?.pointee.data else { return }
          Unmanaged<ProgramRun>.fromOpaque(data).takeUnretainedValue().didExit(status, signal)
        }
        return uv_spawn(loop.uv, process.pointer, &options)
      }
    }
  }

  private func startReading(_ pipe: HandleMemory<uv_pipe_t>) {
    let result = uv_read_start(
      pipe.stream,
      { handle, _, buffer in
        guard let buffer, let data = handle?.pointee.data else { return }
        let memory = Unmanaged<ProgramRun>.fromOpaque(data).takeUnretainedValue().loop.readBuffer
        buffer.pointee = uv_buf_t(base: memory.baseAddress?.assumingMemoryBound(to: CChar.self), len: memory.count)
      },
      { handle, count, _ in
        guard let data = handle?.pointee.data else { return }
        Unmanaged<ProgramRun>.fromOpaque(data).takeUnretainedValue().didRead(count)
      }
    )
    precondition(result == 0, "a pipe that was just made can't be read")
  }

  private func didRead(_ count: Int) {
    guard count >= 0 else { return closePipe() }
    guard output.count + count <= outputLimit else { return kill(because: "wrote more than \(outputLimit) bytes") }
    output += UnsafeRawBufferPointer(rebasing: loop.readBuffer[..<count])
  }

  private func didExit(_ status: Int64, _ signal: Int32) {
    // A process that is left behind may keep the pipe open for ever.
    if let process { Self.killAll(process.pointer.pointee.pid) }
    readRest()
    let outcome: Outcome
    if let failure {
      outcome = .failure(reason: failure)
    } else if signal != 0 {
      outcome = .failure(reason: "was ended by signal \(signal)")
    } else if status != 0 {
      outcome = .failure(reason: "exited with status \(status)")
    } else {
      outcome = .output(output)
    }
    let handler = handler
    self.handler = nil
    closeAll()
    handler?(outcome)
  }

  /// Reads what is in the pipe: the exit may be noticed before the last output.
  private func readRest() {
    guard let pipe, failure == nil else { return }
    var descriptor: Int32 = -1
    guard uv_fileno(pipe.base, &descriptor) == 0 else { return }
    uv_read_stop(pipe.stream)
    while failure == nil {
      let count = read(descriptor, loop.readBuffer.baseAddress, loop.readBuffer.count)
      guard count > 0 else { return }
      didRead(count)
    }
  }

  private func kill(because reason: String) {
    guard failure == nil, let process else { return }
    failure = reason
    Self.killAll(process.pointer.pointee.pid)
  }

  /// Ends a program and what it has started.
  private static func killAll(_ pid: Int32) {
    // Its group has its number.
    Glibc.kill(-pid, SIGKILL)
  }

  private func closePipe() {
    pipe?.close()
    pipe = nil
  }

  private func closeAll() {
    closePipe()
    process?.close()
    process = nil
    timer?.close()
    timer = nil
    // The last use of the object: it may be released with this.
    retained = nil
  }
}
