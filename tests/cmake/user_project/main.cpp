#include "runtime/thread_pool.h"

int main() {}
