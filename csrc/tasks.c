#include "tasks.h"

#include "ct.h"
#include "value.h"

#define NAME_LIMIT 200

/* What asyncio's C part keeps: who is the running loop of this thread, the task of each loop, and
 * how a task tells its name.  Owned, and looked for when the first coroutine runs. */
static struct {
    PyObject *running_loop; /* a function in C */
    PyObject *tasks; /* dict of loop -> task; since CPython 3.14 a function in C of the loop */
    PyTypeObject *task_type;
    PyObject *get_name; /* a method in C, which a subclass cannot change */
} asyncio;

void ct_tasks_close(void)
{
    Py_CLEAR(asyncio.running_loop);
    Py_CLEAR(asyncio.tasks);
    Py_CLEAR(asyncio.task_type);
    Py_CLEAR(asyncio.get_name);
}

/* The value of a key of a dict whose keys are strs, borrowed; NULL when it is another dict. */
static PyObject *look_up(PyObject *dict, const char *name)
{
    if (dict == NULL || !PyDict_CheckExact(dict) || !ct_dict_has_str_keys(dict))
        return NULL;
    return PyDict_GetItemString(dict, name);
}

/* False while the program has not imported asyncio, or has put something else in its place. */
static bool find_asyncio(void)
{
    if (asyncio.get_name != NULL)
        return true;
    PyObject *module = look_up(PySys_GetObject("modules"), "_asyncio");
    if (module == NULL || !PyModule_CheckExact(module))
        return false;
    PyObject *names = PyModule_GetDict(module);
    PyObject *running_loop = look_up(names, "_get_running_loop");
    PyObject *tasks = look_up(names, CT_ASYNCIO_TASKS);
    PyObject *type = look_up(names, "Task");
    if (running_loop == NULL || !PyCFunction_CheckExact(running_loop) || tasks == NULL ||
        !(PyDict_CheckExact(tasks) || PyCFunction_CheckExact(tasks)) || type == NULL ||
        !PyType_Check(type))
        return false;
    PyObject *get_name = look_up(((PyTypeObject *)type)->tp_dict, "get_name");
    if (get_name == NULL || !Py_IS_TYPE(get_name, &PyMethodDescr_Type))
        return false;
    asyncio.running_loop = Py_NewRef(running_loop);
    asyncio.tasks = Py_NewRef(tasks);
    asyncio.task_type = (PyTypeObject *)Py_NewRef(type);
    asyncio.get_name = Py_NewRef(get_name);
    return true;
}

/* The task of a loop, new.  Loops are compared by identity, as asyncio's own function does it:
 * looking one up could run code of the program. */
static PyObject *task_of(PyObject *loop)
{
    if (!PyDict_CheckExact(asyncio.tasks))
        return PyObject_CallOneArg(asyncio.tasks, loop);
    Py_ssize_t at = 0;
    PyObject *key, *task;
    while (PyDict_Next(asyncio.tasks, &at, &key, &task))
        if (key == loop)
            return Py_NewRef(task);
    return NULL;
}

/* The task that runs in this thread, borrowed from its loop; NULL when there is none. */
static PyObject *running_task(void)
{
    PyObject *loop = PyObject_CallNoArgs(asyncio.running_loop);
    PyObject *task = loop != NULL && loop != Py_None ? task_of(loop) : NULL;
    PyErr_Clear();
    Py_XDECREF(loop);
    Py_XDECREF(task);
    return task != NULL && PyObject_TypeCheck(task, asyncio.task_type) ? task : NULL;
}

/* The coroutine is awaited by the one on top of the stack, so it is in the same task. */
static bool is_awaited(const ct_thread *t, const ct_iframe *iframe)
{
    const ct_shadow *top = t->depth != 0 ? &t->frames[t->depth - 1] : NULL;
    return top != NULL && top->iframe == iframe->previous &&
           (top->plan->flags & (CTJ_FN_COROUTINE | CTJ_FN_ASYNC_GENERATOR)) != 0;
}

enum ct_go ct_state_task(ct_thread *t, const ct_iframe *iframe)
{
    if (is_awaited(t, iframe))
        return CT_GO_ON;
    enum ct_go go = ct_boundary(t);
    if (go != CT_GO_ON)
        return go;
    PyObject *task = find_asyncio() ? running_task() : NULL;
    PyObject *name = task != NULL ? PyObject_CallOneArg(asyncio.get_name, task) : NULL;
    if (name == NULL || !PyUnicode_CheckExact(name)) {
        PyErr_Clear();
        Py_CLEAR(name);
        task = NULL;
    }
    bool same = t->task == task && (task == NULL || PyUnicode_Compare(t->task_name, name) == 0);
    if (!same || (task != NULL && t->task_generation != ct_out.generation)) {
        uint8_t *unit = ct_out.at, *p = ct_put_uv(unit + 1, (uintptr_t)task);
        p = name != NULL ? ct_put_text(p, name, NAME_LIMIT) : ct_put_uv(p, 0);
        ct_commit(unit, p, CTJ_TASK);
        t->task = task;
        t->task_generation = ct_out.generation;
        Py_XSETREF(t->task_name, Py_XNewRef(name));
    }
    Py_XDECREF(name);
    return CT_GO_ON;
}
