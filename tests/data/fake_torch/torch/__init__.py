"""As much of torch's face as exporting touches; what it saves is a file that the real one wrote."""

import os
import shutil
from contextlib import nullcontext

float32, int64 = "float32", "int64"
no_grad = nullcontext


class Tensor:
    def __init__(self, shape, dtype, device):
        self.shape, self.dtype, self.device = shape, dtype, device


def zeros(shape, dtype, device):
    return Tensor(shape, dtype, device)


class nn:
    class Module:
        training = True

        def modules(self):
            return [self]

        def parameters(self):
            return iter(())

        def eval(self):
            self.training = False


class export:
    @staticmethod
    def export(module, positional, named):
        assert not module.training
        return module.forward(*positional, **named)

    @staticmethod
    def save(program, path):
        shutil.copy(os.environ["SAVED"], path)
