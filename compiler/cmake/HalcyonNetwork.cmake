# Compiles a network at build time, so that a program links it like any library:
#
#   halcyon_add_network(lenet5 SOURCE lenet5.cpp TRAINING OPTIMIZER adam)
#   target_link_libraries(my_program PRIVATE lenet5)      # and: #include "lenet5.h" or "lenet5.hpp"
#
#   SOURCE       a network written in the DSL, a model (.onnx), whose weights are linked in, or a network of the zoo:
#                zoo:lenet5, zoo:lenet5:28x28x1
#   TRAINING     the library can train, too
#   OPTIMIZER    sgd, momentum (the default), rmsprop or adam; only with TRAINING
#   WEIGHTS      a safetensors file to link into the library
#   INPUT_SHAPE  HxW or HxWxC: slides over pictures of this size, larger than the network's own; not with TRAINING
#   TARGET       the machine to compile for, as Halide spells it; the default is this one
#
# The network is compiled again when its source, a header that it includes, its weights or the compiler change.

set(HALCYON_CACHE_DIR ${CMAKE_CURRENT_LIST_DIR}/../../.cache/kernels CACHE PATH
  "Compiled kernels, found again by content; shared by all build folders")

set(HALCYON_ROOT ${CMAKE_CURRENT_LIST_DIR}/../.. CACHE INTERNAL "Where Halcyon's own headers lie")

function(halcyon_add_network name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TRAINING" "SOURCE;OPTIMIZER;WEIGHTS;INPUT_SHAPE;TARGET" "")
  _halcyon_check_arguments("${name}")

  set(folder ${CMAKE_CURRENT_BINARY_DIR}/networks/${name})
  set(outputs ${folder}/lib${name}.a ${folder}/${name}.h ${folder}/${name}.hpp ${folder}/${name}.json)
  set(options --name ${name} --cache ${HALCYON_CACHE_DIR})
  set(inputs halcyon)
  set(list_headers)

  if(arg_SOURCE MATCHES "^zoo:")
    set(source ${arg_SOURCE})
  else()
    cmake_path(ABSOLUTE_PATH arg_SOURCE OUTPUT_VARIABLE source)
    _halcyon_check_file("${name}" SOURCE "${source}")
    list(APPEND inputs ${source})
    if(NOT source MATCHES "[.]onnx$")
      # Which headers the network includes: the build tool reads the list from this file.
      set(list_headers
        COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -DHALCYON_GENERATOR
                -I ${HALCYON_ROOT} -I ${HALCYON_ROOT}/dsl/include
                -MM -MQ ${folder}/lib${name}.a -MF ${folder}/${name}.d ${source}
        DEPFILE ${folder}/${name}.d)
    endif()
  endif()
  if(arg_TRAINING)
    list(APPEND options --train)
  endif()
  if(arg_OPTIMIZER)
    list(APPEND options --optimizer ${arg_OPTIMIZER})
  endif()
  if(arg_TARGET)
    list(APPEND options --target ${arg_TARGET})
  endif()
  if(arg_INPUT_SHAPE)
    list(APPEND options --input-shape ${arg_INPUT_SHAPE})
  endif()
  if(arg_WEIGHTS)
    cmake_path(ABSOLUTE_PATH arg_WEIGHTS OUTPUT_VARIABLE weights)
    _halcyon_check_file("${name}" WEIGHTS "${weights}")
    list(APPEND options --weights ${weights})
    list(APPEND inputs ${weights})
  endif()

  # In a sanitized build the compiler is sanitized as well; Halide and LLVM, which are not, leak by design and
  # look like races, and neither is a reason to stop a build.
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=report_bugs=0
            CXX=${CMAKE_CXX_COMPILER}
            $<TARGET_FILE:halcyon> compile ${source} -o ${folder} ${options}
    ${list_headers}
    DEPENDS ${inputs}
    COMMENT "Compiling network ${name} from ${arg_SOURCE}"
    VERBATIM)
  add_custom_target(${name}_compile DEPENDS ${outputs})

  file(MAKE_DIRECTORY ${folder})  # an imported target may only name a folder that exists
  add_library(${name} STATIC IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION ${folder}/lib${name}.a
    INTERFACE_INCLUDE_DIRECTORIES ${folder}
    INTERFACE_LINK_LIBRARIES m)
  add_dependencies(${name} ${name}_compile)
endfunction()

# Stops with one message when the arguments of halcyon_add_network make no sense. Reads the caller's arg_*.
macro(_halcyon_check_arguments name)
  set(_where "halcyon_add_network(${name})")
  set(_optimizers sgd momentum rmsprop adam)
  if(NOT "${name}" MATCHES "^[A-Za-z][A-Za-z0-9_]*$")
    message(FATAL_ERROR "${_where}: the name must be a C identifier, for functions are named after it")
  elseif(TARGET ${name})
    message(FATAL_ERROR "${_where}: there is already a target of this name")
  elseif(NOT TARGET halcyon)
    message(FATAL_ERROR "${_where}: the compiler is not built; set HALCYON_BUILD_COMPILER=ON")
  elseif(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${_where}: unknown argument: ${arg_UNPARSED_ARGUMENTS}")
  elseif(arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "${_where}: no value after ${arg_KEYWORDS_MISSING_VALUES}")
  elseif(NOT arg_SOURCE)
    message(FATAL_ERROR "${_where}: SOURCE is missing: a .cpp or .onnx file, or a network of the zoo as in zoo:lenet5")
  elseif(arg_OPTIMIZER AND NOT arg_TRAINING)
    message(FATAL_ERROR "${_where}: OPTIMIZER needs TRAINING: an inference library has none")
  elseif(arg_INPUT_SHAPE AND arg_TRAINING)
    message(FATAL_ERROR "${_where}: INPUT_SHAPE is for inference: leave TRAINING out")
  elseif(arg_OPTIMIZER AND NOT arg_OPTIMIZER IN_LIST _optimizers)
    message(FATAL_ERROR "${_where}: OPTIMIZER is ${arg_OPTIMIZER}, expected sgd, momentum, rmsprop or adam")
  endif()
endmacro()

function(_halcyon_check_file name keyword path)
  get_source_file_property(generated ${path} GENERATED)
  if(NOT generated AND (NOT EXISTS ${path} OR IS_DIRECTORY ${path}))
    message(FATAL_ERROR "halcyon_add_network(${name}): ${keyword}: there is no file ${path}")
  endif()
endfunction()
