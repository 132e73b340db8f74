#pragma once
/// What entry functions hand to kernels, as LLVM types.
///
/// A kernel is `void kernel(frame *, void **arguments, int64_t batch)`. Inside it, Halide's "user
/// context" is a worker: the frame and that worker's scratch memory.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/abi.h"

namespace halcyon::compiler {

/// Memory that a kernel needs beside its arguments; multiples of HALCYON_ALIGNMENT.
struct Scratch {
  int64_t own_bytes = 0;     ///< outside of its parallel loops
  int64_t worker_bytes = 0;  ///< in them, for each worker
};

/// %halcyon.frame as the host sees it.
struct Frame {
  halcyon_parallel_for parallel_for;
  void* pool;
  std::byte* scratch;      ///< of worker 0
  int64_t scratch_stride;  ///< bytes from one worker's to the next one's
  std::byte* own_scratch;  ///< of the kernel outside of its parallel loops
};

inline constexpr std::string_view kFrameTypes = R"(
%halcyon.frame = type { void (i8*, i64, void (i8*, i64, i32)*, i8*)*, i8*, i8*, i64, i8* }
%halcyon.worker = type { %halcyon.frame*, i8* }
%halcyon.job = type { %halcyon.frame*, i32 (i8*, i32, i8*)*, i8*, i32 }
)";

/// Halide's parallel loop, on the host's parallel_for.
inline constexpr std::string_view kParallelFor = R"(
define internal void @halcyon_run_task(i8* %closure, i64 %index, i32 %worker) {
  %job = bitcast i8* %closure to %halcyon.job*
  %frame.at = getelementptr %halcyon.job, %halcyon.job* %job, i32 0, i32 0
  %function.at = getelementptr %halcyon.job, %halcyon.job* %job, i32 0, i32 1
  %inner.at = getelementptr %halcyon.job, %halcyon.job* %job, i32 0, i32 2
  %min.at = getelementptr %halcyon.job, %halcyon.job* %job, i32 0, i32 3
  %frame = load %halcyon.frame*, %halcyon.frame** %frame.at
  %function = load i32 (i8*, i32, i8*)*, i32 (i8*, i32, i8*)** %function.at
  %inner = load i8*, i8** %inner.at
  %min = load i32, i32* %min.at
  %scratch.at = getelementptr %halcyon.frame, %halcyon.frame* %frame, i32 0, i32 2
  %stride.at = getelementptr %halcyon.frame, %halcyon.frame* %frame, i32 0, i32 3
  %scratch = load i8*, i8** %scratch.at
  %stride = load i64, i64* %stride.at
  %worker64 = zext i32 %worker to i64
  %offset = mul i64 %worker64, %stride
  %mine = getelementptr i8, i8* %scratch, i64 %offset
  %self = alloca %halcyon.worker
  %self.frame = getelementptr %halcyon.worker, %halcyon.worker* %self, i32 0, i32 0
  %self.scratch = getelementptr %halcyon.worker, %halcyon.worker* %self, i32 0, i32 1
  store %halcyon.frame* %frame, %halcyon.frame** %self.frame
  store i8* %mine, i8** %self.scratch
  %context = bitcast %halcyon.worker* %self to i8*
  %index32 = trunc i64 %index to i32
  %at = add i32 %min, %index32
  %status = call i32 %function(i8* %context, i32 %at, i8* %inner)
  ret void
}

define i32 @halide_do_par_for(i8* %context, i32 (i8*, i32, i8*)* %function, i32 %min, i32 %size, i8* %inner) {
entry:
  %self = bitcast i8* %context to %halcyon.worker*
  %self.frame = getelementptr %halcyon.worker, %halcyon.worker* %self, i32 0, i32 0
  %frame = load %halcyon.frame*, %halcyon.frame** %self.frame
  %job = alloca %halcyon.job
  %frame.at = getelementptr %halcyon.job, %halcyon.job* %job, i32 0, i32 0
  %function.at = getelementptr %halcyon.job, %halcyon.job* %job, i32 0, i32 1
  %inner.at = getelementptr %halcyon.job, %halcyon.job* %job, i32 0, i32 2
  %min.at = getelementptr %halcyon.job, %halcyon.job* %job, i32 0, i32 3
  store %halcyon.frame* %frame, %halcyon.frame** %frame.at
  store i32 (i8*, i32, i8*)* %function, i32 (i8*, i32, i8*)** %function.at
  store i8* %inner, i8** %inner.at
  store i32 %min, i32* %min.at
  %closure = bitcast %halcyon.job* %job to i8*
  %size64 = sext i32 %size to i64
  %parallel.at = getelementptr %halcyon.frame, %halcyon.frame* %frame, i32 0, i32 0
  %parallel = load void (i8*, i64, void (i8*, i64, i32)*, i8*)*, void (i8*, i64, void (i8*, i64, i32)*, i8*)** %parallel.at
  %alone = icmp eq void (i8*, i64, void (i8*, i64, i32)*, i8*)* %parallel, null
  %one = icmp slt i32 %size, 2
  %serial = or i1 %alone, %one
  br i1 %serial, label %loop, label %fork
fork:
  %pool.at = getelementptr %halcyon.frame, %halcyon.frame* %frame, i32 0, i32 1
  %pool = load i8*, i8** %pool.at
  call void %parallel(i8* %pool, i64 %size64, void (i8*, i64, i32)* @halcyon_run_task, i8* %closure)
  ret i32 0
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %more = icmp slt i64 %i, %size64
  br i1 %more, label %body, label %done
body:
  call void @halcyon_run_task(i8* %closure, i64 %i, i32 0)
  %next = add i64 %i, 1
  br label %loop
done:
  ret i32 0
}
)";

}  // namespace halcyon::compiler
