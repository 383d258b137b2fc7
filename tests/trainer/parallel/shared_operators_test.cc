#include "trainer/parallel/shared_operators.h"

#include "tests/trainer/parallel/group_of_threads.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr int64_t kRows = 6;

Tensor Numbers(at::IntArrayRef shape) {
  int64_t count = 1;
  for (const int64_t one : shape) count *= one;
  return torch::sin(torch::arange(count, torch::kDouble) * 1.7).view(shape);
}

Tensor PartOf(const Tensor& whole, const ProcessGroup& group) {
  const int64_t rows = whole.size(0) / group.size();
  return whole.narrow(0, group.rank() * rows, rows).clone();
}

class SharedOperatorsTest : public WithGloo {};

TEST_F(SharedOperatorsTest, RowsOfAllHaveTheGradientOfAll) {
  const Tensor whole = Numbers({kRows, 3});
  InGroup(2, [&](const auto& group) {
    Tensor own = PartOf(whole, *group).set_requires_grad(true);
    const Tensor all = RowsOfAll(own, *group);
    EXPECT_TRUE(all.equal(whole));
    (all.square().sum() / group->size()).backward();
    EXPECT_TRUE(own.grad().allclose(2.0 * own.detach()));
  });
}

TEST_F(SharedOperatorsTest, ASumHasTheGradientOfAll) {
  InGroup(2, [&](const auto& group) {
    Tensor own = torch::full({2}, 1.0 + group->rank(), torch::kDouble).set_requires_grad(true);
    (SumOfAll(own, *group).square().sum() / group->size()).backward();
    EXPECT_TRUE(own.grad().allclose(torch::full({2}, 6.0, torch::kDouble)));
  });
}

// A batch norm of the whole batch, with the loss sum(weights · output).
struct Norm {
  explicit Norm(Tensor of)
      : input(of.clone().set_requires_grad(true)),
        gamma((Numbers({of.size(1)}) + 2.0).set_requires_grad(true)),
        beta(Numbers({of.size(1)}).set_requires_grad(true)),
        mean(torch::zeros({of.size(1)}, torch::kDouble)),
        variance(torch::ones({of.size(1)}, torch::kDouble)) {}

  Tensor input;
  Tensor gamma;
  Tensor beta;
  Tensor mean;
  Tensor variance;
};

class SharedNormTest : public SharedOperatorsTest {
 protected:
  void ExpectTheWholeNorm(const Tensor& input) {
    const Tensor weights = torch::cos(Numbers(input.sizes()) * 5.0);
    Norm whole(input);
    const Tensor output = torch::batch_norm(whole.input, whole.gamma, whole.beta, whole.mean,
                                            whole.variance, true, 0.1, 1e-5, false);
    (output * weights).sum().backward();
    InGroup(2, [&](const auto& group) {
      Norm part(PartOf(input, *group));
      const Tensor own = NormOverAll(part.input, part.gamma, part.beta, part.mean, part.variance,
                                     {.momentum = 0.1, .epsilon = 1e-5}, *group);
      EXPECT_TRUE(own.allclose(PartOf(output.detach(), *group), 1e-12, 1e-12));
      (own * PartOf(weights, *group)).sum().backward();
      EXPECT_TRUE(part.input.grad().allclose(PartOf(whole.input.grad(), *group), 1e-10, 1e-12));
      Tensor gamma = part.gamma.grad();
      Tensor beta = part.beta.grad();
      ASSERT_THAT(SumTogether({gamma, beta}, *group), IsOk());
      EXPECT_TRUE(gamma.allclose(whole.gamma.grad(), 1e-10, 1e-12));
      EXPECT_TRUE(beta.allclose(whole.beta.grad(), 1e-10, 1e-12));
      EXPECT_TRUE(part.mean.allclose(whole.mean, 1e-12, 1e-12));
      EXPECT_TRUE(part.variance.allclose(whole.variance, 1e-12, 1e-12));
    });
  }
};

TEST_F(SharedNormTest, IsThatOfTheWholeBatchOfMaps) {
  ExpectTheWholeNorm(Numbers({kRows, 3, 4, 5}));
}

TEST_F(SharedNormTest, IsThatOfTheWholeBatchOfRows) { ExpectTheWholeNorm(Numbers({kRows, 3})); }

TEST_F(SharedNormTest, IsThatOfTheWholeBatchFarFromZero) {
  ExpectTheWholeNorm(Numbers({kRows, 2, 3, 3}) + 100.0);
}

}  // namespace
}  // namespace facegate
