#include "compiler/target.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "compiler/lower/halide.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

/// What makes a machine another one; Halide's other features are for devices or for its own
/// runtime, and compiled networks use neither.
constexpr Halide::Target::Feature kInstructionSets[] = {Halide::Target::SSE41,
                                                        Halide::Target::AVX,
                                                        Halide::Target::F16C,
                                                        Halide::Target::FMA,
                                                        Halide::Target::FMA4,
                                                        Halide::Target::AVX2,
                                                        Halide::Target::AVX512,
                                                        Halide::Target::AVX512_KNL,
                                                        Halide::Target::AVX512_Skylake,
                                                        Halide::Target::AVX512_Cannonlake,
                                                        Halide::Target::AVX512_SapphireRapids,
                                                        Halide::Target::ARMv81a,
                                                        Halide::Target::ARMDotProd,
                                                        Halide::Target::ARMFp16,
                                                        Halide::Target::SVE,
                                                        Halide::Target::SVE2};

/// Of a core of this machine; the usual one where the system does not tell.
int64_t own_l2_bytes() {
#ifdef _SC_LEVEL2_CACHE_SIZE
  const int64_t bytes = ::sysconf(_SC_LEVEL2_CACHE_SIZE);
  if (bytes > 0) return bytes;
#endif
  return kUsualL2Bytes;
}

void check_features(const Halide::Target& target, const std::string& text) {
  for (int i = 0; i < Halide::Target::FeatureEnd; ++i) {
    const auto feature = static_cast<Halide::Target::Feature>(i);
    if (!target.has_feature(feature) ||
        std::ranges::find(kInstructionSets, feature) != std::end(kInstructionSets))
      continue;
    throw UserError("target '" + text + "' is not supported: " +
                        Halide::Target::feature_to_name(feature) + " is no set of instructions",
                    "leave it out");
  }
}

}  // namespace

Target parse_target(const std::string& text) {
  Halide::Target halide;
  if (text != "host" && !Halide::Target::validate_target_string(text)) {
    throw UserError(
        "unknown target '" + text + "'",
        "host, or a name such as x86-64-linux-avx-avx2-f16c-fma-sse41 or x86-64-linux-sse41");
  }
  halide = text == "host" ? Halide::get_host_target() : Halide::Target(text);
  if (halide.os != Halide::Target::Linux || halide.bits != 64 ||
      (halide.arch != Halide::Target::X86 && halide.arch != Halide::Target::ARM)) {
    throw UserError("target '" + text + "' is not supported",
                    "x86-64-linux and arm-64-linux are, with any instruction sets");
  }
  if (text != "host") check_features(halide, text);
  Target target;
  target.features = halide.to_string();
  if (text == "host") target.l2_bytes = own_l2_bytes();
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

bool runs_on_this_machine(const std::string& features) {
  const Halide::Target wanted(features);
  const Halide::Target host = Halide::get_host_target();
  bool runs = wanted.arch == host.arch && wanted.bits == host.bits && wanted.os == host.os;
  for (const auto set : kInstructionSets)
    runs = runs && (!wanted.has_feature(set) || host.has_feature(set));
  return runs;
}

}  // namespace halcyon::compiler
