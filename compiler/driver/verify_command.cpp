/// halcyon verify.

#include <fmt/format.h>

#include <memory>

#include "compiler/driver/commands.h"
#include "compiler/driver/compile_options.h"
#include "compiler/driver/usage.h"
#include "compiler/driver/verify.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

/// Of a gradient: where rounding moves one of a million values over the kink of a relu, or gives a
/// window another maximum, the gradient jumps. A wrong rule shows by more than that.
constexpr double kJump = 0.25;

struct VerifyCommand : CompileFlags {
  VerifyOptions verify = {.kernels = true};

  void run() const {
    bool good = true;
    for (const Comparison& c : verify_network(load().graph, options(/*train=*/false), verify)) {
      const bool jumps = c.what.starts_with("gradient") && c.relative() > c.tolerance;
      const bool right = c.finite && c.relative() <= (jumps ? kJump : c.tolerance) && c.same_bits &&
                         c.other_tops == 0;
      good = good && right;
      std::string remark = !right ? "WRONG" : jumps ? "ok but for jumps at kinks" : "ok";
      if (!c.same_bits) remark += ", other bits with 1 thread";
      if (c.other_tops > 0) remark += fmt::format(", {} samples have another top", c.other_tops);
      fmt::print("{:<32} error {:.1e} of {:.3g}  {}\n", c.what, c.largest_error, c.largest_value,
                 remark);
    }
    if (!good) {
      throw InternalError(fmt::format(
          "compiled code and reference differ: allowed are {:.0e}, and {:.0e} for one kernel; with "
          "Winograd's convolutions {:.0e} and {:.0e}",
          kTolerance, kKernelTolerance, kWinogradTolerance, kWinogradKernelTolerance));
    }
  }
};

}  // namespace

void add_verify_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("verify", "hold compiled code against the reference on random data");
  auto o = std::make_shared<VerifyCommand>();
  o->add_to(*command);
  o->add_input_shape_to(*command);
  command->add_option("--batch", o->verify.batch)->check(whole_number(1, 1024));
  command->add_option("--threads", o->verify.threads)->check(whole_number(1, 1024));
  command->add_option("--seed", o->verify.seed)->check(whole_number<uint64_t>(0));
  command->callback([o] { o->run(); });
}

}  // namespace halcyon::compiler
