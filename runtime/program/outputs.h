#pragma once
/// The results of a network: into files, or told.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/abi.h"
#include "runtime/program/inputs.h"
#include "runtime/tensor.h"

namespace halcyon::runtime {

/// What the user says about results.
struct OutputOptions {
  std::vector<std::string> files;  ///< "FILE" or "OUTPUT=FILE"; none: results are printed
  int64_t top = 5;                 ///< how many classes are printed
  std::string labels;              ///< file with a name for each class, one to a line
  bool json = false;

  void add_to(CLI::App& command);
};

struct OutputValues {
  int64_t batch = 0;
  int threads = 0;
  double time_ms = 0;
  std::vector<Tensor> values;  ///< as network.outputs
};

/// What happens to the results, decided before there are any: a wrong name must not cost a run.
class OutputPlan {
 public:
  /// Errors: UserError for files that cannot hold what they should, and for labels that fit no
  /// output; SystemError for files that cannot be written.
  OutputPlan(const halcyon_network& info, const OutputOptions& options);

  /// Errors: UserError for a picture file when there is more than one sample.
  void check_batch(int64_t batch) const;

  /// Writes the files, then prints what is not in a file, or all as one JSON object.
  void deliver(const OutputValues& outputs) const;

 private:
  std::vector<std::string> files_of(int32_t output) const;
  bool goes_to_file(int32_t output) const { return !files_of(output).empty(); }
  void write(const NamedFile& file, const OutputValues& outputs) const;
  void print(const OutputValues& outputs) const;
  void print_json(const OutputValues& outputs) const;

  const halcyon_network& info_;
  const OutputOptions& options_;
  std::vector<NamedFile> files_;
  std::vector<std::string> labels_;
};

}  // namespace halcyon::runtime
