/* A TFLite delegate for tests. The environment says how it behaves (STUB_MODE): "fail" and "crash"
   while it is created, "crash-run" when it computes, "wrong" computes zeros. Otherwise it takes the
   operators of the Edge TPU compiler and answers with the bytes of STUB_ANSWERS/<tensor>.bin; other
   graphs it leaves to the CPU. Options it was created with go to STUB_OPTIONS.

   The structures repeat the first fields of tensorflow/lite/core/c/common.h. */

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { int size; int data[]; } IntArray;

typedef struct {
  int type;
  void *data;
  IntArray *dims;
  struct { float scale; int32_t zero_point; } params;
  int allocation_type;
  size_t bytes;
  const void *allocation;
  const char *name;
  void *delegate;
  int buffer_handle;
  _Bool data_is_stale, is_variable;
  struct { int type; void *params; } quantization;
  void *sparsity;
  const IntArray *dims_signature;
} Tensor;

typedef struct { IntArray *inputs, *outputs; } Node;

typedef struct Context Context;

typedef struct {
  void *(*init)(Context *, const char *, size_t);
  void (*free)(Context *, void *);
  int (*prepare)(Context *, Node *);
  int (*invoke)(Context *, Node *);
  const char *(*profiling_string)(const Context *, const Node *);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *registration_external;
  void *(*async_kernel)(Context *, Node *);
  uint64_t inplace_operator;
} Registration;

typedef struct Delegate Delegate;

struct Context {
  size_t tensors_size;
  int (*get_execution_plan)(Context *, IntArray **);
  Tensor *tensors;
  void *impl;
  int (*resize_tensor)(Context *, Tensor *, IntArray *);
  void (*report_error)(Context *, const char *, ...);
  int (*add_tensors)(Context *, int, int *);
  int (*get_node_and_registration)(Context *, int, Node **, Registration **);
  int (*replace_nodes)(Context *, Registration, const IntArray *, Delegate *);
};

struct Delegate {
  void *data;
  int (*prepare)(Context *, Delegate *);
  void *copy_from, *copy_to, *free_handle;
  int64_t flags;
  void *builder;
};

static int is_mode(const char *mode) {
  const char *wanted = getenv("STUB_MODE");
  return wanted && !strcmp(wanted, mode);
}

static int invoke(Context *context, Node *node) {
  if (is_mode("crash-run")) raise(SIGSEGV);
  for (int i = 0; i < node->outputs->size; i++) {
    int index = node->outputs->data[i];
    Tensor *tensor = context->tensors + index;
    memset(tensor->data, 0, tensor->bytes);
    if (is_mode("wrong")) continue;
    char path[4096];
    snprintf(path, sizeof path, "%s/%d.bin", getenv("STUB_ANSWERS"), index);
    FILE *file = fopen(path, "rb");
    if (!file || fread(tensor->data, 1, tensor->bytes, file) != tensor->bytes) return 1;
    fclose(file);
  }
  return 0;
}

static int prepare(Context *context, Delegate *delegate) {
  IntArray *plan, *taken;
  if (context->get_execution_plan(context, &plan)) return 1;
  taken = calloc(1, sizeof(int) * (plan->size + 1));
  for (int i = 0; i < plan->size; i++) {
    Node *node;
    Registration *registration;
    if (context->get_node_and_registration(context, plan->data[i], &node, &registration)) return 1;
    if (registration->custom_name && !strcmp(registration->custom_name, "edgetpu-custom-op"))
      taken->data[taken->size++] = plan->data[i];
  }
  Registration kernel = {.invoke = invoke, .custom_name = "stub", .version = 1};
  int status = taken->size ? context->replace_nodes(context, kernel, taken, delegate) : 0;
  free(taken);
  return status;
}

Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_t count,
                                        void (*report)(const char *)) {
  const char *path = getenv("STUB_OPTIONS");
  FILE *file = path ? fopen(path, "w") : NULL;
  for (size_t i = 0; file && i < count; i++) fprintf(file, "%s=%s\n", keys[i], values[i]);
  if (file) fclose(file);
  if (is_mode("crash")) raise(SIGSEGV);
  if (is_mode("fail")) {
    report("the stub was told to fail");
    return NULL;
  }
  if (is_mode("fail-silently")) return NULL;
  Delegate *delegate = calloc(1, sizeof *delegate);
  delegate->prepare = prepare;
  delegate->flags = 1; /* takes graphs with operators that nobody else knows */
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) { free(delegate); }
