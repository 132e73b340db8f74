/* The C interface between a compiled network and the program that hosts it.
 *
 * The host owns everything: it gives memory, threads and a log. A compiled network allocates
 * nothing, starts no thread and keeps no state of its own, so any number of contexts may run one
 * network at once. This text is copied to the top of every generated header: it must stay plain C99
 * and self-contained.
 */
#ifndef HALCYON_ABI_H
#define HALCYON_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HALCYON_ABI_VERSION 3
#define HALCYON_ALIGNMENT                                                \
  64 /* bytes: of the workspace, the parameter block and the state block \
      */
#define HALCYON_MAX_RANK 6

/* What a call into a compiled network returns. Outputs are valid only after HALCYON_OK. */
typedef enum halcyon_status {
  HALCYON_OK = 0,
  HALCYON_NULL_ARGUMENT = 1,       /* a pointer that must be given is NULL */
  HALCYON_BATCH_OUT_OF_RANGE = 2,  /* batch is below 1, above 2^20, or too large to address */
  HALCYON_WORKSPACE_TOO_SMALL = 3, /* less than *_workspace_bytes(batch, workers) */
  HALCYON_MISALIGNED = 4,          /* a block is not aligned to HALCYON_ALIGNMENT bytes */
  HALCYON_LABEL_OUT_OF_RANGE = 5,  /* a label is below 0 or not below the number of classes */
  HALCYON_BAD_WORKERS = 6,         /* workers is below 1 or above 1024 */
  HALCYON_NOT_PREPARED = 7         /* prepare was not called since the parameters changed */
} halcyon_status;

/* One unit of work: index in [0, count), worker in [0, workers). */
typedef void (*halcyon_task)(void* closure, int64_t index, int32_t worker);

/* Calls task(closure, i, worker) once for each i in [0, count), in any order and on any threads,
 * and returns when all have returned. Two calls that run at the same time have different worker
 * numbers. */
typedef void (*halcyon_parallel_for)(void* pool, int64_t count, halcyon_task task, void* closure);

/* What one caller lends a network while it runs. One context serves one call at a time. */
typedef struct halcyon_context {
  void* workspace;          /* aligned to HALCYON_ALIGNMENT; contents are not kept between calls */
  uint64_t workspace_bytes; /* at least NAME_workspace_bytes(batch, workers) */
  halcyon_parallel_for parallel_for; /* NULL: everything runs in the calling thread */
  void* pool;                        /* handed to parallel_for */
  int32_t workers; /* how many worker numbers parallel_for uses; 1 without parallel_for */
} halcyon_context;

typedef enum halcyon_dtype { HALCYON_F32 = 0, HALCYON_I32 = 1 } halcyon_dtype;

/* An input, output or target as the host sees it: dense, row-major, batch outermost. */
typedef struct halcyon_tensor_info {
  const char* name;
  halcyon_dtype dtype;
  int32_t rank;                    /* without the batch axis */
  int64_t shape[HALCYON_MAX_RANK]; /* without the batch axis, in memory order */
  const char* axes; /* memory order in letters, "HWC", "CHW", "C"; "" for a scalar per sample */
  int64_t elements; /* per sample */
  int64_t classes;  /* for labels: valid values are [0, classes); otherwise 0 */
} halcyon_tensor_info;

/* How a parameter starts before training. */
typedef enum halcyon_init_kind {
  HALCYON_INIT_CONSTANT = 0, /* every value is scale */
  HALCYON_INIT_UNIFORM = 1,  /* uniform in [-scale, scale] */
  HALCYON_INIT_NORMAL = 2,   /* normal, mean 0, standard deviation scale */
  HALCYON_INIT_VALUES = 3    /* the given values */
} halcyon_init_kind;

/* A parameter: canonical (row-major; conv K C R S, dense K C) in files, packed in the parameter
 * block. */
typedef struct halcyon_parameter_info {
  const char* name; /* "conv1.weight" */
  int32_t rank;
  int64_t shape[HALCYON_MAX_RANK];
  int64_t elements;      /* canonical */
  uint64_t offset_bytes; /* of the packed form in the parameter block */
  uint64_t packed_bytes;
  halcyon_init_kind init;
  float init_scale;
  const float* init_values; /* canonical, for HALCYON_INIT_VALUES */
  int32_t trainable;        /* 0: frozen, a running statistic, or an inference library */
} halcyon_parameter_info;

/* Numbers that an optimizer step reads. */
typedef struct halcyon_hyper {
  float learning_rate;
  float momentum;     /* momentum: mu; RMSprop: alpha; Adam: beta1 */
  float beta2;        /* Adam */
  float epsilon;      /* RMSprop, Adam */
  float weight_decay; /* added to the gradient as weight_decay * parameter */
  int64_t step;       /* 1 for the first step; Adam's bias correction, dropout's masks */
  uint64_t seed;      /* of dropout's masks; with the step it decides them all */
} halcyon_hyper;

typedef enum halcyon_optimizer {
  HALCYON_NO_OPTIMIZER = 0, /* an inference library */
  HALCYON_SGD = 1,
  HALCYON_MOMENTUM = 2,
  HALCYON_RMSPROP = 3,
  HALCYON_ADAM = 4
} halcyon_optimizer;

/* Everything a host can ask of a compiled network; NAME_network() returns a constant table.
 * Training members are NULL or 0 in an inference library. */
typedef struct halcyon_network {
  uint32_t abi_version;
  const char* name;
  const char* target; /* instruction set it was compiled for */

  int32_t input_count, output_count, target_count, loss_count, parameter_count;
  const halcyon_tensor_info* inputs;
  const halcyon_tensor_info* outputs;
  const halcyon_tensor_info* targets;
  const char* const* losses; /* names */
  const halcyon_parameter_info* parameters;
  uint64_t parameter_bytes; /* the whole block: packed parameters, then what prepare computes */
  uint64_t packed_bytes;    /* of the packed parameters, and of each slot of the state */
  uint64_t state_bytes;     /* the optimizer's state; starts as zeros */
  halcyon_optimizer optimizer;

  uint64_t (*workspace_bytes)(int64_t batch, int32_t workers);
  /* Computes what inference needs of the parameters beside themselves: filters with their batch
   * norm folded in, for example. To be called when parameters have been packed or trained, with the
   * workspace of a batch of 1 at least. */
  halcyon_status (*prepare)(const halcyon_context* context, void* parameters);
  /* inputs[i] and outputs[i] in the order of the tables, sized batch * elements. */
  halcyon_status (*infer)(const halcyon_context* context, int64_t batch, const void* parameters,
                          const void* const* inputs, void* const* outputs);
  /* Between the canonical form of parameter i and its packed form inside the block. */
  void (*pack)(int32_t parameter, const float* canonical, void* parameters);
  void (*unpack)(int32_t parameter, const void* parameters, float* canonical);

  uint64_t (*train_workspace_bytes)(int64_t batch, int32_t workers);
  /* One step: forward, losses (weighted mean over the batch, one float each), backward, update of
   * parameters and state. outputs[i] may be NULL (not wanted), as may outputs itself. */
  halcyon_status (*train_step)(const halcyon_context* context, int64_t batch, void* parameters,
                               void* state, const void* const* inputs, const void* const* targets,
                               const halcyon_hyper* hyper, float* losses, void* const* outputs);
} halcyon_network;

/* One sentence for a status. */
static inline const char* halcyon_status_text(halcyon_status status) {
  switch (status) {
    case HALCYON_OK: return "ok";
    case HALCYON_NULL_ARGUMENT: return "a pointer that must be given is NULL";
    case HALCYON_BATCH_OUT_OF_RANGE:
      return "the batch is below 1, above 1048576, or too large to address";
    case HALCYON_WORKSPACE_TOO_SMALL:
      return "the workspace is smaller than workspace_bytes(batch, workers)";
    case HALCYON_MISALIGNED: return "a memory block is not aligned to 64 bytes";
    case HALCYON_LABEL_OUT_OF_RANGE:
      return "a label is negative or not below the number of classes";
    case HALCYON_BAD_WORKERS: return "the number of workers is below 1 or above 1024";
    case HALCYON_NOT_PREPARED: return "the parameters have changed since prepare was called";
  }
  return "an unknown status";
}

#ifdef __cplusplus
}
#endif

#endif /* HALCYON_ABI_H */
