# The target `torch`: LibTorch as this build uses it. Nothing else in the build knows where it comes from.
#
# A build for GPUs takes LibTorch 2.11 out of the folder that deploy/bootstrap.sh --gpu makes. Its own package file is not
# read: it looks for a CUDA toolkit with all its libraries, which a program that calls LibTorch does not need.
if(NOT FACEGATE_GPU)
  find_package(Torch REQUIRED)
  return()
endif()

if(DEFINED ENV{FACEGATE_GPU_PREFIX})
  set(prefix $ENV{FACEGATE_GPU_PREFIX})
else()
  set(prefix $ENV{HOME}/.local/share/facegate-gpu)
endif()
set(FACEGATE_GPU_PREFIX ${prefix} CACHE PATH "Where deploy/bootstrap.sh --gpu has put LibTorch")
set(site ${FACEGATE_GPU_PREFIX}/python)
if(NOT EXISTS ${site}/torch/lib/libtorch_cuda.so)
  message(FATAL_ERROR "There is no LibTorch for GPUs in ${FACEGATE_GPU_PREFIX}. deploy/bootstrap.sh --gpu brings it; "
                      "FACEGATE_GPU_PREFIX says where it is.")
endif()
file(READ ${site}/torch/version.py version)
if(NOT version MATCHES "__version__ = '2\\.11\\.")
  message(FATAL_ERROR "The LibTorch in ${site} is not 2.11, which this code is written for: ${version}")
endif()

if(NOT CMAKE_CUDA_COMPILER)
  find_program(CMAKE_CUDA_COMPILER nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
  if(NOT CMAKE_CUDA_COMPILER)
    message(FATAL_ERROR "nvcc was not found: install cuda-nvcc-13-0 of NVIDIA's packages for Debian, or set CUDA_HOME.")
  endif()
endif()
set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 90-virtual CACHE STRING "Cards that CUDA code is compiled for")
set(CMAKE_CUDA_STANDARD 17)
add_compile_definitions(FACEGATE_GPU)
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)

# LibTorch brings headers of protobuf, fmt, oneDNN and others that differ from the distribution's: only its own are seen.
set(include ${CMAKE_BINARY_DIR}/libtorch-include)
foreach(folder ATen c10 caffe2 torch)
  file(MAKE_DIRECTORY ${include})
  file(CREATE_LINK ${site}/torch/include/${folder} ${include}/${folder} SYMBOLIC)
endforeach()

add_library(torch INTERFACE IMPORTED GLOBAL)
set_target_properties(torch PROPERTIES INTERFACE_INCLUDE_DIRECTORIES
  "${include};${site}/torch/include/torch/csrc/api/include;${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES}")
# Its own libraries have paths to those of CUDA; the linker does not follow them by itself. Libraries are not given by
# their paths: CMake would warn of each program that the libgomp beside them hides the distribution's, which is meant.
file(GLOB nvidia LIST_DIRECTORIES true ${site}/nvidia/*/lib)
list(TRANSFORM nvidia PREPEND "LINKER:-rpath-link,")
set_target_properties(torch PROPERTIES INTERFACE_LINK_OPTIONS
  "-L${site}/torch/lib;LINKER:-rpath,${site}/torch/lib:${site}/nvidia/cu13/lib;${nvidia}")
# LibTorch's CUDA kernels register themselves when their library is loaded; no symbol asks for them.
target_link_libraries(torch INTERFACE
  -Wl,--no-as-needed -lstdc++ -ltorch_cuda -Wl,--as-needed -ltorch -ltorch_cpu -lc10_cuda -lc10
  -L${site}/nvidia/cu13/lib -l:libcudart.so.13)
