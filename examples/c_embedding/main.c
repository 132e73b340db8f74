/* A compiled network inside a plain C99 program: the generated header and library, libc, and
 * nothing else.
 *
 * The program owns all memory: a block of packed weights, and a workspace whose size depends on the
 * batch. It classifies three pictures, first one by one, then as one batch, and checks that both
 * give the same bits. Weights and pictures come from a small generator of random numbers, so the
 * scores mean nothing here.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classifier.h"

enum { kPictures = 3 };

static void fail(const char* what) {
  fprintf(stderr, "error: %s\n", what);
  exit(1);
}

/* Memory aligned as the network wants it. The bytes in front of it hold where the block of malloc
 * begins. */
static void* allocate(uint64_t bytes) {
  char* block = malloc(bytes + 2 * HALCYON_ALIGNMENT);
  if (block == NULL) fail("out of memory");
  char* memory = block + 2 * HALCYON_ALIGNMENT - (uintptr_t)block % HALCYON_ALIGNMENT;
  ((void**)memory)[-1] = block;
  return memory;
}

static void release(void* memory) { free(((void**)memory)[-1]); }

/* Uniform in [-1, 1]: the upper bits of a linear congruential generator (Knuth's MMIX). */
static float random_value(uint64_t* state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (float)(*state >> 40) / (float)(1 << 23) - 1.0f;
}

/* Fills the parameter block; a device would read the values from flash instead of inventing them.
 */
static void* make_parameters(const halcyon_network* network) {
  void* parameters = allocate(network->parameter_bytes);
  memset(parameters, 0, network->parameter_bytes);
  uint64_t state = 1;
  for (int32_t i = 0; i < network->parameter_count; ++i) {
    const halcyon_parameter_info* info = &network->parameters[i];
    float* values = allocate((uint64_t)info->elements * sizeof(float));
    for (int64_t k = 0; k < info->elements; ++k)
      values[k] = info->init_scale * random_value(&state);
    classifier_pack(i, values, parameters);
    release(values);
  }
  return parameters;
}

/* What inference computes from the parameters once, before the first run. */
static void prepare(void* parameters) {
  halcyon_context context = {0};
  context.workers = 1;
  context.workspace_bytes = classifier_workspace_bytes(1, context.workers);
  context.workspace = allocate(context.workspace_bytes);
  const halcyon_status status = classifier_prepare(&context, parameters);
  if (status != HALCYON_OK) fail(halcyon_status_text(status));
  release(context.workspace);
}

/* Runs `batch` pictures on the calling thread. A device would keep one workspace for its largest
 * batch. */
static void classify(const void* parameters, int64_t batch, const float* pictures, float* scores) {
  halcyon_context context = {0};
  context.workers = 1;
  context.workspace_bytes = classifier_workspace_bytes(batch, context.workers);
  context.workspace = allocate(context.workspace_bytes);
  const void* inputs[] = {pictures};
  void* outputs[] = {scores};
  const halcyon_status status = classifier_infer(&context, batch, parameters, inputs, outputs);
  if (status != HALCYON_OK) fail(halcyon_status_text(status));
  release(context.workspace);
}

/* Prints one line per picture. The scores come from a softmax, so they add up to 1. */
static void print_scores(const float* scores, int64_t classes) {
  for (int64_t i = 0; i < kPictures; ++i) {
    double sum = 0;
    printf("picture %d:", (int)i);
    for (int64_t k = 0; k < classes; ++k) {
      printf(" %.4f", scores[i * classes + k]);
      sum += scores[i * classes + k];
    }
    printf("\n");
    if (!(fabs(sum - 1) < 1e-5)) fail("the scores of a picture do not add up to 1");
  }
}

int main(void) {
  const halcyon_network* network = classifier_network();
  const int64_t picture_size = network->inputs[0].elements;
  const int64_t classes = network->outputs[0].elements;
  const size_t score_bytes = (size_t)(kPictures * classes) * sizeof(float);
  void* parameters = make_parameters(network);
  prepare(parameters);
  printf("%s for %s: %d parameters, %llu bytes packed\n", network->name, network->target,
         (int)network->parameter_count, (unsigned long long)network->parameter_bytes);

  float* pictures = allocate((uint64_t)(kPictures * picture_size) * sizeof(float));
  float* one_by_one = allocate(score_bytes);
  float* together = allocate(score_bytes);
  uint64_t state = 2;
  for (int64_t i = 0; i < kPictures * picture_size; ++i) pictures[i] = random_value(&state);

  for (int64_t i = 0; i < kPictures; ++i) {
    classify(parameters, 1, pictures + i * picture_size, one_by_one + i * classes);
  }
  classify(parameters, kPictures, pictures, together);
  print_scores(together, classes);
  if (memcmp(one_by_one, together, score_bytes) != 0) {
    fail("three batches of one and a batch of three differ");
  }
  printf("the same bits one by one and together\n");

  release(together);
  release(one_by_one);
  release(pictures);
  release(parameters);
  return 0;
}
