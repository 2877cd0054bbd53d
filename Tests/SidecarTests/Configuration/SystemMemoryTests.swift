import Testing

@testable import Sidecar

@Suite("The memory that there is")
struct SystemMemoryTests {
  @Test(
    arguments: [
      ("0::/a/b\n", ["/sys/fs/cgroup/a/b/memory.max": "max\n", "/sys/fs/cgroup/a/memory.max": "500\n"], 500),
      ("0::/a/b\n", ["/sys/fs/cgroup/a/b/memory.max": "400\n", "/sys/fs/cgroup/memory.max": "300\n"], 300),
      ("0::/\n", ["/sys/fs/cgroup/memory.max": "268435456\n"], 268_435_456),
      (
        "12:cpu,memory:/docker/x\n11:pids:/docker/x\n",
        ["/sys/fs/cgroup/memory/memory.limit_in_bytes": "700\n", "/sys/fs/cgroup/memory.max": "1"], 700
      ),
      ("0::/a\n", ["/sys/fs/cgroup/a/memory.max": "max\n"], nil), ("", [:], nil), ("nonsense\n", [:], nil),
    ] as [(String, [String: String], Int?)]
  )
  func `the lowest limit of the process' cgroups counts`(membership: String, files: [String: String], limit: Int?) {
    #expect(SystemMemory.limit(membership: membership) { files[$0] } == limit)
  }

  @Test func `this machine has some`() {
    #expect(SystemMemory.availableBytes() > 64 << 20)
  }
}
