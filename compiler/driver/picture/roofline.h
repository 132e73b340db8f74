#pragma once
/// Measured kernels against what the machine can do: a page with a roofline plot and a table.
/// Source: Williams, Waterman and Patterson, "Roofline", 2009.

#include <string>
#include <vector>

#include "compiler/driver/profile.h"

namespace halcyon::compiler {

/// A network and the machine in one run.
struct Measured {
  std::string network;
  std::string conditions;  ///< "batch 1, 1 thread, avx2"
  double network_ms = 0;
  double peak_gflops = 0;    ///< of multiply-adds in registers, counted as two
  double peak_gb_per_s = 0;  ///< of reads from memory
  std::vector<KernelTime> kernels;
};

/// A page that needs nothing but a browser.
std::string roofline_page(const Measured& measured);

}  // namespace halcyon::compiler
