/// Any bytes at all, read as a weight file: the end is a file that can be written again, or one
/// error of the user's.

#include "runtime/base/error.h"
#include "runtime/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace halcyon;
  try {
    const runtime::WeightFile file = runtime::parse_weights(
        {reinterpret_cast<const std::byte*>(data), size}, "fuzz.safetensors");
    runtime::format_weights(file);
  } catch (const UserError&) {
  }
  return 0;
}
