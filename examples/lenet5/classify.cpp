/// Reads digits from pictures with the weights that train.cpp has saved:
///
///   classify_digits lenet5.safetensors PICTURE...

#include <cstdio>
#include <exception>

#include "lenet5.h"  // generated: lenet5_network()
#include "runtime/data/read_picture.h"
#include "runtime/data/resize.h"
#include "runtime/metrics.h"
#include "runtime/network.h"

using namespace halcyon::runtime;

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: classify_digits WEIGHTS.safetensors PICTURE...\n");
    return 2;
  }
  Network network(*lenet5_network());
  network.load(argv[1]);
  for (int i = 2; i < argc; ++i) {
    Tensor picture = resize_bilinear(to_tensor(read_picture(argv[i])), 32, 32);
    for (float& value : picture.floats()) value = (value - 0.5f) / 0.3f;  // as in training
    const Tensor scores = network.infer(picture);
    std::printf("%s: a %d\n", argv[i], static_cast<int>(largest(scores.floats())));
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
