#include "compiler/target.h"

#include "compiler/lower/halide.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

Target parse_target(const std::string& text) {
  Halide::Target halide;
  if (text != "host" && !Halide::Target::validate_target_string(text)) {
    throw UserError("unknown target '" + text + "'",
                    "host, or a name such as x86-64-linux-avx-avx2-f16c-fma-sse41 or x86-64-linux-sse41");
  }
  halide = text == "host" ? Halide::get_host_target() : Halide::Target(text);
  if (halide.os != Halide::Target::Linux || halide.bits != 64 ||
      (halide.arch != Halide::Target::X86 && halide.arch != Halide::Target::ARM)) {
    throw UserError("target '" + text + "' is not supported", "x86-64-linux and arm-64-linux are, with any features");
  }
  Target target;
  target.features = halide.to_string();
  if (halide.arch == Halide::Target::ARM) {
    target.triple = "aarch64-unknown-linux-gnu";
    target.vector_width = 4;
    return target;
  }
  target.triple = "x86_64-unknown-linux-gnu";
  const bool avx512 = halide.has_feature(Halide::Target::AVX512_Skylake);
  const bool avx = halide.has_feature(Halide::Target::AVX);
  target.vector_width = avx512 ? 16 : avx ? 8 : 4;
  target.vector_registers = avx512 ? 32 : 16;
  return target;
}

}  // namespace halcyon::compiler
