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

/// Of the largest value: direct convolution in single precision stays well below it.
constexpr double kTolerance = 5e-5;

struct VerifyCommand : CompileFlags {
  VerifyOptions verify;

  void run() const {
    bool good = true;
    for (const Comparison& c : verify_network(load(), options(/*train=*/false), verify)) {
      const bool right = c.finite && c.relative() <= kTolerance;
      good = good && right;
      fmt::print("{:<32} error {:.1e} of {:.3g}  {}\n", c.what, c.largest_error, c.largest_value,
                 right ? "ok" : "WRONG");
    }
    if (!good)
      throw InternalError("compiled code and reference differ by more than " +
                          fmt::format("{:.0e}", kTolerance));
  }
};

}  // namespace

void add_verify_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("verify", "hold compiled code against the reference on random data");
  auto o = std::make_shared<VerifyCommand>();
  o->add_to(*command);
  command->add_option("--batch", o->verify.batch)->check(whole_number(1, 1024));
  command->add_option("--threads", o->verify.threads)->check(whole_number(1, 1024));
  command->add_option("--seed", o->verify.seed)->check(whole_number<uint64_t>(0));
  command->callback([o] { o->run(); });
}

}  // namespace halcyon::compiler
