#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "face/onnx/network_graph.h"
#include "face/onnx/onnx_model.h"

namespace facegate {

// Writes nodes one after the other. A value is called as the layer that gives it; those within a
// layer have a slash behind its name.
class NodeWriter {
 public:
  explicit NodeWriter(OnnxModel& model) : model_(model) {}

  // Appends a node, whose output becomes the value at hand. A layer that is called twice gives
  // values of two names.
  void Emit(std::string op, const std::string& name, std::vector<std::string> inputs,
            std::map<std::string, OnnxAttribute, std::less<>> attributes = {});
  // The value at hand, each token times a matrix, which the weights have the other way round;
  // `bias` is empty where there is none.
  void Multiply(const std::string& name, const std::string& weight, const std::string& bias);
  void Reshape(const std::string& name, const char* constant, const std::vector<int64_t>& extents);
  void Transpose(const std::string& name, std::vector<int64_t> order);

  // Each adds a constant, and gives its name. The first two are of the layer at hand, none of its
  // weights.
  std::string Whole(const char* name, std::vector<int64_t> shape,
                    const std::vector<int64_t>& numbers);
  std::string Number(const char* name, double number);
  std::string Constant(const std::string& name, Tensor&& tensor);
  std::string OwnName(const char* constant) const;

  // The value of a tensor of the layer at hand as numbers of 32 bits; of the tensor of that name.
  std::string Weight(std::string_view tensor);
  std::string Called(std::string name);

 protected:
  static constexpr int64_t kOnnxFloat = 1;  // TensorProto.FLOAT

  OnnxModel& model_;
  std::string name_;               // of the layer at hand
  std::string value_{kOnnxInput};  // that the next layer takes

 private:
  std::set<std::string> emitted_;  // names of values
};

Tensor WholeTensor(std::vector<int64_t> shape, const std::vector<int64_t>& numbers);

}  // namespace facegate
