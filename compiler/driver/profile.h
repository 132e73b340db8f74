#pragma once
/// Times each kernel of a program by itself, on buffers of the right sizes: where a network spends
/// its time.

#include <string>
#include <vector>

#include "compiler/driver/load.h"

namespace halcyon::compiler {

struct KernelTime {
  std::string label;      ///< "conv1+pool1+relu1"
  std::string algorithm;  ///< "direct", "Winograd F(4x4, 3x3)": compiler/schedules/words.h
  std::string words;      ///< the schedule, for people
  std::string schedule;   ///< "tile_x=7 tile_k=1"
  double median_us = 0;
  int64_t macs = 0;           ///< of the layers, for the whole batch
  int64_t computed_macs = 0;  ///< those that the algorithm has
  int64_t bytes = 0;          ///< of all arguments, read or written once
};

/// Of all stored values that the kernels of a program read and write, once for each kernel.
int64_t moved_bytes(const Program& program, const Target& target, int64_t batch);

/// Of those that each call runs, in order of execution. Values are small random numbers.
std::vector<KernelTime> profile_kernels(const Program& program, const Artifact& artifact,
                                        const LoadedNetwork& loaded, int64_t batch, int threads,
                                        int runs = 15);

}  // namespace halcyon::compiler
